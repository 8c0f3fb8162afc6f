"""Bytes on the wire: messages of Kafka and ZooKeeper as frozen dataclasses, and one engine that reads and writes them.

In the order in which it is best read:

    schema              the notation: what stands beside a field, and what that means
    produce fetch ...   the messages, one file a family; each API opens with its card
    api                 what a card says
    primitives          strings, lengths and varints as bytes
    reading, writing    a class and a version become functions; codec joins the two
    headers, frames     what stands around a message
    registry            every API by its key; whole requests and responses
    zookeeper           ZooKeeper's records in the same notation; zookeeper_frames: what stands around them

`one_partition` has the messages of chapter 1, before there are bytes. Record batches are opaque here: see `log`.
"""
