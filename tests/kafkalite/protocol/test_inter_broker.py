"""The controller's requests, byte by byte: no library has them any more, so the vectors are written out by hand.

They follow LeaderAndIsrRequest.json, StopReplicaRequest.json, UpdateMetadataRequest.json and
ControlledShutdownRequest.json of Apache Kafka 3.x. All are flexible but ControlledShutdown 0-2: a count or a length is
a varint and one more than it says, and every structure ends with the number of its tagged fields, 00.
"""

from __future__ import annotations

from typing import Any

import pytest

from kafkalite.errors import ErrorCode
from kafkalite.protocol import inter_broker as wire
from kafkalite.protocol.headers import RequestHeader
from kafkalite.protocol.registry import decode_request, encode_request, message_codec

LEADER_AND_ISR = """
    00 00 00 65                 controller_id 101
    00 00 00 07                 controller_epoch 7
    00 00 00 00 00 00 01 2c     broker_epoch 300
    02                          topic_states, 1
      03 54 41                    topic_name "TA"
      02                          partition_states, 1
        00 00 00 01                 partition_index 1
        00 00 00 07                 controller_epoch 7
        00 00 00 66                 leader 102
        00 00 00 05                 leader_epoch 5
        03 00 00 00 66 00 00 00 67  isr 102 103
        00 00 00 02                 zk_version 2
        04 00 00 00 66 00 00 00 67 00 00 00 68  replicas 102 103 104
        02 00 00 00 68              adding_replicas 104
        02 00 00 00 66              removing_replicas 102
        01                          is_new
        00                          end of the partition
      00                          end of the topic
    02                          live_leaders, 1
      00 00 00 66                 broker_id 102
      03 68 32                    host_name "h2"
      00 00 23 84                 port 9092
      00                          end of the leader
    00                          end of the request
"""
STOP_REPLICA = """
    00 00 00 65                 controller_id 101
    00 00 00 07                 controller_epoch 7
    ff ff ff ff ff ff ff ff     broker_epoch -1
    02                          topic_states, 1
      03 54 41                    topic_name "TA"
      03                          partition_states, 2
        00 00 00 00                 partition_index 0
        00 00 00 05                 leader_epoch 5
        00                          delete_partition: no
        00                          end of the partition
        00 00 00 01                 partition_index 1
        ff ff ff fe                 leader_epoch -2
        01                          delete_partition: yes
        00                          end of the partition
      00                          end of the topic
    00                          end of the request
"""
UPDATE_METADATA = """
    00 00 00 65                 controller_id 101
    00 00 00 07                 controller_epoch 7
    00 00 00 00 00 00 01 2c     broker_epoch 300
    02                          topic_states, 1
      03 54 41                    topic_name "TA"
      02                          partition_states, 1
        00 00 00 01                 partition_index 1
        00 00 00 07                 controller_epoch 7
        ff ff ff ff                 leader -1
        00 00 00 06                 leader_epoch 6
        02 00 00 00 66              isr 102
        00 00 00 03                 zk_version 3
        03 00 00 00 66 00 00 00 67  replicas 102 103
        02 00 00 00 67              offline_replicas 103
        00                          end of the partition
      00                          end of the topic
    03                          live_brokers, 2
      00 00 00 65                 id 101
      02                          endpoints, 1
        00 00 23 84                 port 9092
        03 68 31                    host "h1"
        0a 50 4c 41 49 4e 54 45 58 54   listener "PLAINTEXT"
        00 00                       security_protocol 0
        00                          end of the endpoint
      03 72 31                    rack "r1"
      00                          end of the broker
      00 00 00 68                 id 104
      01                          endpoints, none
      00                          rack null
      00                          end of the broker
    00                          end of the request
"""
PARTITION_ERRORS = """
    00 0b                       error_code 11, STALE_CONTROLLER_EPOCH
    02                          partition_errors, 1
      03 54 41                    topic_name "TA"
      00 00 00 01                 partition_index 1
      00 4d                       error_code 77, STALE_BROKER_EPOCH
      00                          end of the partition
    00                          end of the response
"""

VECTORS: list[tuple[Any, int, str]] = [
    (
        wire.LeaderAndIsrRequest(
            controller_id=101,
            controller_epoch=7,
            broker_epoch=300,
            topic_states=(
                wire.LeaderAndIsrTopicState(
                    "TA",
                    (
                        wire.LeaderAndIsrPartitionState(
                            partition_index=1,
                            controller_epoch=7,
                            leader=102,
                            leader_epoch=5,
                            isr=(102, 103),
                            zk_version=2,
                            replicas=(102, 103, 104),
                            adding_replicas=(104,),
                            removing_replicas=(102,),
                            is_new=True,
                        ),
                    ),
                ),
            ),
            live_leaders=(wire.LeaderAndIsrLiveLeader(broker_id=102, host_name="h2", port=9092),),
        ),
        4,
        LEADER_AND_ISR,
    ),
    (
        wire.LeaderAndIsrResponse(
            ErrorCode.STALE_CONTROLLER_EPOCH,
            (
                wire.LeaderAndIsrPartitionError(
                    topic_name="TA", partition_index=1, error_code=ErrorCode.STALE_BROKER_EPOCH
                ),
            ),
        ),
        4,
        PARTITION_ERRORS,
    ),
    (
        wire.StopReplicaRequest(
            controller_id=101,
            controller_epoch=7,
            topic_states=(
                wire.StopReplicaTopicState(
                    "TA",
                    (
                        wire.StopReplicaPartitionState(partition_index=0, leader_epoch=5),
                        wire.StopReplicaPartitionState(partition_index=1, leader_epoch=-2, delete_partition=True),
                    ),
                ),
            ),
        ),
        3,
        STOP_REPLICA,
    ),
    (
        wire.StopReplicaResponse(
            ErrorCode.STALE_CONTROLLER_EPOCH,
            (
                wire.StopReplicaPartitionError(
                    topic_name="TA", partition_index=1, error_code=ErrorCode.STALE_BROKER_EPOCH
                ),
            ),
        ),
        3,
        PARTITION_ERRORS,
    ),
    (
        wire.UpdateMetadataRequest(
            controller_id=101,
            controller_epoch=7,
            broker_epoch=300,
            topic_states=(
                wire.UpdateMetadataTopicState(
                    "TA",
                    (
                        wire.UpdateMetadataPartitionState(
                            partition_index=1,
                            controller_epoch=7,
                            leader=-1,
                            leader_epoch=6,
                            isr=(102,),
                            zk_version=3,
                            replicas=(102, 103),
                            offline_replicas=(103,),
                        ),
                    ),
                ),
            ),
            live_brokers=(
                wire.UpdateMetadataBroker(
                    id=101,
                    endpoints=(wire.UpdateMetadataEndpoint(port=9092, host="h1", listener="PLAINTEXT"),),
                    rack="r1",
                ),
                wire.UpdateMetadataBroker(104),
            ),
        ),
        6,
        UPDATE_METADATA,
    ),
    (wire.UpdateMetadataResponse(ErrorCode.STALE_BROKER_EPOCH), 6, "00 4d  error_code 77\n 00  end of the response"),
    (wire.ControlledShutdownRequest(102), 0, "00 00 00 66  broker_id 102"),
    (wire.ControlledShutdownRequest(102), 1, "00 00 00 66  broker_id 102"),
    (
        wire.ControlledShutdownRequest(broker_id=102, broker_epoch=300),
        2,
        "00 00 00 66  broker_id 102\n 00 00 00 00 00 00 01 2c  broker_epoch 300",
    ),
    (
        wire.ControlledShutdownRequest(broker_id=102, broker_epoch=300),
        3,
        "00 00 00 66  broker_id 102\n 00 00 00 00 00 00 01 2c  broker_epoch 300\n 00  end of the request",
    ),
    *(
        (
            wire.ControlledShutdownResponse(
                ErrorCode.NONE, (wire.RemainingPartition(topic_name="TA", partition_index=1),)
            ),
            version,
            """
            00 00          error_code 0
            00 00 00 01    remaining_partitions, 1: an int32, for this version is not flexible
            00 02 54 41    topic_name "TA"
            00 00 00 01    partition_index 1
            """,
        )
        for version in (0, 1, 2)
    ),
    (
        wire.ControlledShutdownResponse(ErrorCode.NONE, (wire.RemainingPartition(topic_name="TA", partition_index=1),)),
        3,
        """
        00 00          error_code 0
        02             remaining_partitions, 1
        03 54 41       topic_name "TA"
        00 00 00 01    partition_index 1
        00             end of the partition
        00             end of the response
        """,
    ),
]


def raw(vector: str) -> bytes:
    """The bytes of a vector: two hexadecimal digits each, up to the first two blanks that end them in a line."""
    lines = (line.strip().partition("  ")[0] for line in vector.strip().splitlines())
    return b"".join(bytes.fromhex(line) for line in lines)


@pytest.mark.parametrize(("message", "version", "vector"), VECTORS, ids=lambda value: type(value).__name__)
def test_the_bytes_are_those_of_the_vector_in_both_directions(message: Any, version: int, vector: str) -> None:
    codec = message_codec(type(message), version)
    out = bytearray()
    codec.encode(message, out)

    assert raw(vector).hex(" ") == out.hex(" ")
    assert message == codec.decode(raw(vector))


def test_controlled_shutdown_0_alone_has_a_header_without_a_client_id() -> None:
    expected = raw("""
        00 00 00 0c    12 bytes follow
        00 07          request_api_key 7
        00 00          request_api_version 0
        00 00 00 09    correlation_id 9
        00 00 00 66    broker_id 102
    """)

    frame = encode_request(wire.ControlledShutdownRequest(102), version=0, correlation_id=9, client_id="b2")

    assert expected == frame
    assert RequestHeader(7, 0, 9, None) == decode_request(frame[4:]).header
