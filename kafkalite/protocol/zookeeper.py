"""ZooKeeper's records: what a client and a server of the coordination service say to each other.

ZooKeeper writes them in *jute*: numbers are big-endian, lengths and counts four bytes with -1 for null, and nothing is
versioned but the ConnectRequest's last byte. So the notation and the engine are those of Kafka's messages. Names are
those of zookeeper.jute, which describes all of it.

Left out: ACLs (everybody may do everything), authentication, reconfiguration, containers and TTL nodes, read-only
servers, persistent watches.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntFlag
from typing import Annotated

from kafkalite.protocol.schema import Bool, Bytes, Int32, Int64, JuteString, since


class ZooKeeperError(int, Enum):
    """What a reply's header says went wrong. Source: org.apache.zookeeper.KeeperException.Code."""

    OK = 0
    SYSTEM_ERROR = -1
    RUNTIME_INCONSISTENCY = -2  # in a multi: not tried, because an earlier operation failed
    CONNECTION_LOSS = -4
    MARSHALLING_ERROR = -5
    UNIMPLEMENTED = -6
    BAD_ARGUMENTS = -8
    NO_NODE = -101
    BAD_VERSION = -103
    NO_CHILDREN_FOR_EPHEMERALS = -108
    NODE_EXISTS = -110
    NOT_EMPTY = -111
    SESSION_EXPIRED = -112
    SESSION_MOVED = -118


class EventType(int, Enum):
    """What happened to a watched znode, or (NONE) to the session."""

    NONE = -1
    NODE_CREATED = 1
    NODE_DELETED = 2
    NODE_DATA_CHANGED = 3
    NODE_CHILDREN_CHANGED = 4


class CreateFlags(IntFlag):
    """How a znode is made."""

    PERSISTENT = 0
    EPHEMERAL = 1  # gone with the session that made it
    SEQUENTIAL = 2  # a number that grows is put behind its name


CONNECTED_STATE = 3  # the state of the session that a watch's event tells
ANY_VERSION = -1


@dataclass(frozen=True, slots=True)
class Id:
    """Who is meant."""

    scheme: JuteString | None = "world"
    id: JuteString | None = "anyone"


@dataclass(frozen=True, slots=True)
class Acl:
    """What somebody may do; carried for clients that send it, and not looked at."""

    perms: Int32 = 31  # everything
    id: Id = Id()


OPEN_TO_ALL = (Acl(),)


@dataclass(frozen=True, slots=True)
class Stat:
    """What is known of a znode beside its data. A zxid numbers the changes of the whole tree."""

    czxid: Int64 = 0  # the change that created it
    mzxid: Int64 = 0  # the last change of its data
    ctime: Int64 = 0  # ms since 1970
    mtime: Int64 = 0
    version: Int32 = 0  # counts changes of its data: what compare-and-set compares
    cversion: Int32 = 0  # counts changes of its children
    aversion: Int32 = 0
    ephemeral_owner: Int64 = 0  # the session that it will go with; 0: none
    data_length: Int32 = 0
    num_children: Int32 = 0
    pzxid: Int64 = 0  # the last change of its children


# The session ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ConnectRequest:
    """Begin a session (id 0), or go on with one. `read_only` came with ZooKeeper 3.4, here called version 1."""

    protocol_version: Int32 = 0
    last_zxid_seen: Int64 = 0  # a server that is behind it must not answer
    time_out: Int32 = 0  # ms without a word after which the session expires
    session_id: Int64 = 0
    passwd: Bytes | None = b""
    read_only: Annotated[Bool, since(1)] = False


@dataclass(frozen=True, slots=True)
class ConnectResponse:
    """The session; a time out of 0 says that it has expired."""

    protocol_version: Int32 = 0
    time_out: Int32 = 0
    session_id: Int64 = 0
    passwd: Bytes | None = b""
    read_only: Annotated[Bool, since(1)] = False


@dataclass(frozen=True, slots=True)
class PingRequest:
    """I am alive."""


@dataclass(frozen=True, slots=True)
class PingResponse:
    """So am I."""


@dataclass(frozen=True, slots=True)
class CloseSessionRequest:
    """End the session and its ephemeral znodes now."""


@dataclass(frozen=True, slots=True)
class CloseSessionResponse:
    """The session is over."""


@dataclass(frozen=True, slots=True)
class SetWatches:
    """After a reconnection: watch these again, and tell at once what has changed since that zxid."""

    relative_zxid: Int64 = 0
    data_watches: tuple[JuteString, ...] | None = ()
    exist_watches: tuple[JuteString, ...] | None = ()
    child_watches: tuple[JuteString, ...] | None = ()


@dataclass(frozen=True, slots=True)
class SetWatchesResponse:
    """They are watched."""


@dataclass(frozen=True, slots=True)
class WatcherEvent:
    """A watch fired; it does so once. The news is that something changed, not what it is now."""

    type: Int32 = 0
    state: Int32 = CONNECTED_STATE
    path: JuteString | None = ""


# Reading -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ExistsRequest:
    """Is there such a znode? The watch also waits for one that is not there yet."""

    path: JuteString | None = ""
    watch: Bool = False


@dataclass(frozen=True, slots=True)
class ExistsResponse:
    """There is."""

    stat: Stat = Stat()


@dataclass(frozen=True, slots=True)
class GetDataRequest:
    """What does the znode hold?"""

    path: JuteString | None = ""
    watch: Bool = False


@dataclass(frozen=True, slots=True)
class GetDataResponse:
    """Its data."""

    data: Bytes | None = b""
    stat: Stat = Stat()


@dataclass(frozen=True, slots=True)
class GetChildrenRequest:
    """Which children has the znode?"""

    path: JuteString | None = ""
    watch: Bool = False


@dataclass(frozen=True, slots=True)
class GetChildrenResponse:
    """Their names, in no promised order."""

    children: tuple[JuteString, ...] | None = ()


@dataclass(frozen=True, slots=True)
class GetChildren2Request:
    """Which children has the znode, and what is known of itself?"""

    path: JuteString | None = ""
    watch: Bool = False


@dataclass(frozen=True, slots=True)
class GetChildren2Response:
    """Both."""

    children: tuple[JuteString, ...] | None = ()
    stat: Stat = Stat()


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """Answer when this server has caught up with the leader: what is read next is not stale."""

    path: JuteString | None = ""


@dataclass(frozen=True, slots=True)
class SyncResponse:
    """It has."""

    path: JuteString | None = ""


# Writing -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CreateRequest:
    """Make a znode."""

    path: JuteString | None = ""
    data: Bytes | None = b""
    acl: tuple[Acl, ...] | None = OPEN_TO_ALL
    flags: Int32 = CreateFlags.PERSISTENT


@dataclass(frozen=True, slots=True)
class CreateResponse:
    """Its name: a sequential one ends with a number now."""

    path: JuteString | None = ""


@dataclass(frozen=True, slots=True)
class Create2Request:
    """Make a znode and tell what is known of it."""

    path: JuteString | None = ""
    data: Bytes | None = b""
    acl: tuple[Acl, ...] | None = OPEN_TO_ALL
    flags: Int32 = CreateFlags.PERSISTENT


@dataclass(frozen=True, slots=True)
class Create2Response:
    """Its name and the rest."""

    path: JuteString | None = ""
    stat: Stat = Stat()


@dataclass(frozen=True, slots=True)
class DeleteRequest:
    """Remove a znode that has this version and no children."""

    path: JuteString | None = ""
    version: Int32 = ANY_VERSION


@dataclass(frozen=True, slots=True)
class DeleteResponse:
    """It is gone."""


@dataclass(frozen=True, slots=True)
class SetDataRequest:
    """Compare and set: new data for a znode that has this version."""

    path: JuteString | None = ""
    data: Bytes | None = b""
    version: Int32 = ANY_VERSION


@dataclass(frozen=True, slots=True)
class SetDataResponse:
    """It has them, and a new version."""

    stat: Stat = Stat()


@dataclass(frozen=True, slots=True)
class CheckVersionRequest:
    """In a multi: go on only if the znode has this version. This is how a controller's writes are fenced."""

    path: JuteString | None = ""
    version: Int32 = ANY_VERSION


@dataclass(frozen=True, slots=True)
class CheckVersionResponse:
    """It has."""
