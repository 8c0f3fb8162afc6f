"""What talks to brokers. Clients know the protocol and their parts; they never import the broker.

In the order in which it is best read:

    cursor reader writer           chapter 1's, before there are brokers to choose from
    cluster_view discovery         what a client believes of the cluster, and how it comes to know; backoff: its waits
    partitioner accumulator        which partition, which batch: the parts of a producer
    batch sender                   how batches get acknowledged, sent again, or given up
    idempotence producer_id        once and in order, though batches are sent again
    transaction_states transaction_requests transactions   all or nothing, and who is fenced
    producer                       all that, behind `produce`
    position fetched fetcher       where a consumer is, what it is handed, how it asks
    consumer                       all that, behind `assign`
    coordinator membership strategies commits   a consumer in a group, and its bookmarks
    group_consumer                 all that, behind `subscribe`
    semantics pipeline             a program that reads and writes: at most, at least, exactly once
    admin admin_answers            topics made and changed, and what is told of them
"""
