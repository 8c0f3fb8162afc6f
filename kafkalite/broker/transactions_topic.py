"""`__transaction_state`: the transactional ids that are led here.

What the log's tail says may be lost with this leader as long as it is not replicated; a marker that was sent for it
could not be called back. So a coordinator begins once the high watermark has reached what it has read.

Source: Kafka's TransactionStateManager.
"""

from __future__ import annotations

from kafkalite.broker.metadata import MetadataCache
from kafkalite.broker.state_topic import StateTopic
from kafkalite.config import BrokerConfig
from kafkalite.node import Node
from kafkalite.replication.replica_manager import ReplicaManager
from kafkalite.transactions.fold import TransactionFold
from kafkalite.transactions.records import TRANSACTIONS_TOPIC


class TransactionsTopic(StateTopic[TransactionFold]):
    """The partitions of `__transaction_state` that are led here."""

    name = TRANSACTIONS_TOPIC
    is_strict = True

    def __init__(self, node: Node, config: BrokerConfig, replicas: ReplicaManager, metadata: MetadataCache) -> None:
        super().__init__(node, "transactions_topic", replicas, metadata)
        self.partitions = config.transaction_state_log_num_partitions
        self.load_bytes = config.transaction_state_log_load_buffer_size
        self.append_timeout_ms = config.request_timeout_ms

    def empty(self) -> TransactionFold:
        return TransactionFold()
