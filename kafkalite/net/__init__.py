"""The other driver: the same nodes behind real sockets, in real time, on real files.

In this order they can be read: driver (effects become I/O), stream (bytes and frames), kafka_peers and zookeeper_peers
(the two protocols, both ends), ensemble_peers (what servers of an ensemble say to each other), nodes (who listens
where). Left out so far: processes of their own, and a command that starts them.
"""
