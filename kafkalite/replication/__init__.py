"""Replication: one leader, followers that copy it, and what is committed because all in sync have it.

In the order in which it is best read:

    high_watermark isr truncation read_replica    the rules: pure functions over plain data
    partition          one replica, as leader or as follower: when the rules are asked
    isr_changes        the ISR by compare-and-set in ZooKeeper
    fetcher            how followers copy
    purgatory          where requests wait for all that
    log_directory      the logs on the disk: opened, checkpointed, synced, taken offline
    replica_manager    all replicas of a broker, and the controller's orders to them
    ports              what replication is handed by its broker

The requests themselves are answered in `kafkalite.broker`: produce, fetch, offsets, control.
"""
