"""Coordination: a small, real ZooKeeper. A tree of znodes, sessions, watches, and an ensemble of servers that agree.

    tree changes          what a znode is, and what a change does to it: no clock, no network
    watches sessions      who wants to know, and who is alive
    txn_log snapshot history   what a server has on its disk, and how it begins again from it
    quorum election       who leads
    leader follower       one history on all servers: discovery, synchronisation, broadcast (ZAB)
    server front          the node, and what it says to its clients
    client                the component that a broker talks to it with
    recipes               elections made of znodes

A way to read it: tree, changes, watches, client; then quorum, election, leader, follower.
"""
