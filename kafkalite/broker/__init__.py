"""The broker: a node made of components, and the requests it answers. Each file of requests opens with its API card.

In the order in which it is best read:

    one_partition                      chapter 1's: one topic of one partition, and nothing to agree on
    fence registration                 who is obeyed, and how a broker says that it lives
    topic_settings settings            what a topic is set to, and how a broker hears of it
    metadata_view metadata             what a broker knows of the cluster, and tells everybody
    auto_topics                        topics that come about because somebody asked for them
    produce fetch offsets              the data path, over `kafkalite.replication`
    control                            the controller's orders
    topic_rules parked_topics topics   topics made, grown and deleted, over `kafkalite.controller`
    configs producer_ids api_versions  what else clients ask
    offsets_topic group_coordinator    groups, over `kafkalite.groups`; group_api and group_offsets_api answer for them
    shutdown                           stopping in order
    broker                             all of it in one node, and in which order it begins
"""
