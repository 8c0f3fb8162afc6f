"""The broker. Chapter 1's has one topic of one partition; the replicated one comes with the cluster."""
