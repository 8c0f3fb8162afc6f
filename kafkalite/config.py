"""Settings, under Kafka's and ZooKeeper's names with the unit last; defaults are Kafka's, of the ZooKeeper era.

A log's own settings (segments, retention, compaction) are `kafkalite.log.settings.LogConfig`. Left out: security,
quotas, listeners beyond one.
"""

from __future__ import annotations

from dataclasses import dataclass

from kafkalite.types import NodeName


@dataclass(frozen=True, slots=True)
class ZooKeeperConfig:
    """One server of the coordination service; the same for all servers of an ensemble but `name`."""

    name: NodeName
    servers: tuple[NodeName, ...]  # the whole ensemble, this one included; every server votes
    tick_ms: int = 2000  # a follower says every half tick that it lives
    init_limit: int = 10  # ticks a follower may take to catch up with a new leader
    sync_limit: int = 5  # ticks a follower may fall behind before it is dropped
    min_session_timeout_ms: int = 4000  # 2 ticks
    max_session_timeout_ms: int = 40_000  # 20 ticks
    snapshot_every: int = 10_000  # changes between two snapshots of the tree


@dataclass(frozen=True, slots=True)
class BrokerConfig:
    """One broker."""

    broker_id: int
    zookeepers: tuple[NodeName, ...]
    host: str = ""  # what it tells clients to connect to; the node's name where port is 0
    port: int = 0
    rack: str | None = None
    cluster_id: str = "kafkalite"
    zookeeper_session_timeout_ms: int = 18_000
    # replication
    replica_lag_time_max_ms: int = 30_000
    replica_fetch_wait_max_ms: int = 500
    replica_fetch_min_bytes: int = 1
    replica_fetch_max_bytes: int = 1 << 20  # of one partition
    replica_fetch_response_max_bytes: int = 10 << 20
    replica_fetch_backoff_ms: int = 1000
    replica_socket_timeout_ms: int = 30_000
    replica_high_watermark_checkpoint_interval_ms: int = 5000
    replica_selector_rack_aware: bool = False  # replica.selector.class is RackAwareReplicaSelector (KIP-392)
    min_insync_replicas: int = 1
    unclean_leader_election_enable: bool = False
    # topics that do not say otherwise
    default_replication_factor: int = 1
    num_partitions: int = 1
    auto_create_topics_enable: bool = True
    # the controller
    controller_socket_timeout_ms: int = 30_000
    auto_leader_rebalance_enable: bool = True
    leader_imbalance_check_interval_ms: int = 300_000
    leader_imbalance_per_broker_percentage: int = 10
    controlled_shutdown_enable: bool = True
    controlled_shutdown_max_retries: int = 3
    controlled_shutdown_retry_backoff_ms: int = 5000
    # the disk; None: leave it to the page cache, as Kafka does
    log_flush_interval_messages: int | None = None
    log_flush_interval_ms: int | None = None
    log_flush_offset_checkpoint_interval_ms: int = 60_000
    log_retention_check_interval_ms: int = 300_000
    log_cleaner_backoff_ms: int = 15_000
    # groups, and where their offsets stand
    group_initial_rebalance_delay_ms: int = 3000
    group_min_session_timeout_ms: int = 6000
    group_max_session_timeout_ms: int = 1_800_000
    group_max_size: int = 2_147_483_647
    offsets_topic_num_partitions: int = 50
    offsets_topic_replication_factor: int = 3
    offsets_topic_segment_bytes: int = 100 << 20
    offsets_load_buffer_size: int = 5 << 20  # read at once when a coordinator loads
    offsets_commit_timeout_ms: int = 5000  # how long a commit may wait for its replicas
    offsets_retention_minutes: int = 7 * 24 * 60  # after the group became empty
    offsets_retention_check_interval_ms: int = 600_000
    offset_metadata_max_bytes: int = 4096
    # transactions, and where they are remembered
    transaction_state_log_num_partitions: int = 50
    transaction_state_log_replication_factor: int = 3
    transaction_state_log_min_isr: int = 2
    transaction_state_log_segment_bytes: int = 100 << 20
    transaction_state_log_load_buffer_size: int = 5 << 20
    transaction_max_timeout_ms: int = 900_000  # the longest that a producer may ask for
    transaction_abort_timed_out_transaction_cleanup_interval_ms: int = 10_000  # how often late ones are looked for
    transactional_id_expiration_ms: int = 7 * 24 * 3_600_000  # after its last change
    transaction_remove_expired_transaction_cleanup_interval_ms: int = 3_600_000
    request_timeout_ms: int = 30_000  # of what coordinators write: their log, and markers on other brokers
    # every request's limits
    message_max_bytes: int = 1_048_588
    fetch_max_bytes: int = 55 << 20


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """What producers, consumers and admin clients share: how they find brokers and how patient they are."""

    bootstrap_servers: tuple[NodeName, ...]
    client_id: str = ""
    client_rack: str = ""
    metadata_max_age_ms: int = 300_000
    request_timeout_ms: int = 30_000
    retry_backoff_ms: int = 100
    retry_backoff_max_ms: int = 1000
    reconnect_backoff_ms: int = 50
    reconnect_backoff_max_ms: int = 1000
    default_api_timeout_ms: int = 60_000  # how long an administrator waits in all, whatever is tried again
    socket_connection_setup_timeout_ms: int = 10_000  # of the first request to a broker that was not heard of (KIP-601)


@dataclass(frozen=True, slots=True)
class ProducerConfig:
    """A producer."""

    acks: int = -1  # 0, 1 or -1 (all)
    enable_idempotence: bool = True
    batch_size: int = 16_384
    linger_ms: float = 5  # 0 before 4.0 (KIP-1030)
    max_in_flight_requests_per_connection: int = 5
    retries: int = 2_147_483_647
    delivery_timeout_ms: int = 120_000
    max_block_ms: int = 60_000  # how long a record may wait for its topic's metadata, or for memory
    request_timeout_ms: int = 30_000
    max_request_size: int = 1_048_576
    buffer_memory: int = 32 << 20
    partitioner: str = "sticky"  # for records without a key: "sticky" (KIP-794) or "round_robin"
    partitioner_ignore_keys: bool = False
    transactional_id: str | None = None  # None: no transactions
    transaction_timeout_ms: int = 60_000  # how long one may be open before its coordinator aborts it


@dataclass(frozen=True, slots=True)
class ConsumerConfig:
    """A consumer."""

    auto_offset_reset: str = "latest"  # "earliest", "latest" or "none"
    isolation_level: str = "read_uncommitted"
    fetch_min_bytes: int = 1
    fetch_max_bytes: int = 50 << 20
    fetch_max_wait_ms: int = 500
    max_partition_fetch_bytes: int = 1 << 20
    max_poll_records: int = 500
    check_crcs: bool = True


@dataclass(frozen=True, slots=True)
class GroupConfig:
    """What makes a consumer a member of a group."""

    group_id: str
    group_instance_id: str | None = None  # a static member: it keeps its place over a restart (KIP-345)
    session_timeout_ms: int = 45_000  # 10 s before 3.0 (KIP-735)
    heartbeat_interval_ms: int = 3000
    max_poll_interval_ms: int = 300_000  # how long a program may be busy between two polls; the rebalance timeout, too
    partition_assignment_strategy: tuple[str, ...] = ("range", "cooperative-sticky")
    enable_auto_commit: bool = True
    auto_commit_interval_ms: int = 5000
    processing_ms: float = 0  # what the program takes for a record


@dataclass(frozen=True, slots=True)
class PipelineConfig:
    """What a program reads, and where it writes what comes of it."""

    source: str  # a topic
    semantics: str = "at least once"  # "at most once", "at least once", "exactly once"
    target: str = ""  # a topic; "": none
    outside: NodeName = ""  # somebody outside Kafka who is to do something; "": nobody
