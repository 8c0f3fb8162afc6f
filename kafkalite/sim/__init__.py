"""The simulator: the same nodes in one process, in virtual time, with seeded delays and faults; recorded, rewound."""
