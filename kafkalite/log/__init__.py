"""The log: records at rest. Chapter 1's is `memory`; what a broker has is `partition_log`, in Kafka's own bytes.

In this order they can be read: varint, record, crc, batch; index, recovery, segment, reading; retention, compaction;
epochs, producer_state; then how they work together: partition_log, admission, loading, cleaner.
"""
