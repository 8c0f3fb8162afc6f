"""The tree against a model of dictionaries; what a Stat counts; a multi does all or nothing; digests tell trees."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkalite.coordination.changes import Change, OpenSession, decode_change, encode_change
from kafkalite.coordination.snapshot import decode_tree, encode_tree
from kafkalite.coordination.tree import Refused, Tree, parent_of
from kafkalite.protocol import zookeeper as zk
from kafkalite.protocol.zookeeper import EventType, ZooKeeperError
from kafkalite.protocol.zookeeper_frames import ErrorResponse, MultiRequest, MultiResponse

SESSION, OTHER, GONE = 1, 2, 99
EPHEMERAL, SEQUENTIAL = 1, 2


class Grown:
    """A tree with two sessions, and a counter for its changes."""

    def __init__(self) -> None:
        self.tree = Tree()
        self.applied = [self.tree.apply(Change(zxid, 1000 + zxid, 0, 0, 0, OpenSession(400))) for zxid in (1, 2)]

    def do(self, request: Any, session: int = SESSION) -> Any:
        """Apply the request as the next change; what became of it."""
        zxid = self.tree.zxid + 1
        self.applied.append(self.tree.apply(Change(zxid, 1000 + zxid, session, 0, 0, request)))
        return self.applied[-1]

    def stat(self, path: str) -> zk.Stat:
        return self.tree.znodes[path].stat


class Model:
    """What a tree should be: path -> [data, version, creations, deletions, owner, czxid, mzxid, pzxid]."""

    def __init__(self) -> None:
        self.znodes: dict[str, list[Any]] = {"/": [b"", 0, 0, 0, 0, 0, 0, 0]}
        self.sessions = {SESSION, OTHER}

    def children(self, path: str) -> list[str]:
        return sorted(other.rpartition("/")[2] for other in self.znodes if other != "/" and parent_of(other) == path)

    def do(self, zxid: int, session: int, request: Any) -> ZooKeeperError:
        if session not in self.sessions:
            return ZooKeeperError.SESSION_EXPIRED
        before = deepcopy(self.znodes)
        if isinstance(request, MultiRequest):
            errors = [self.one(zxid, session, part) for part in request.operations]
            if any(errors):
                self.znodes = before
            return ZooKeeperError.OK
        if isinstance(request, zk.CloseSessionRequest):
            self.sessions.discard(session)
            for path in [path for path, znode in self.znodes.items() if znode[4] == session]:
                self.remove(path, zxid)
            return ZooKeeperError.OK
        return self.one(zxid, session, request)

    def one(self, zxid: int, session: int, request: Any) -> ZooKeeperError:
        path = request.path
        if isinstance(request, zk.CreateRequest):
            return self.create(zxid, session, request, path)
        if path not in self.znodes:
            return ZooKeeperError.NO_NODE
        if request.version not in {-1, self.znodes[path][1]}:
            return ZooKeeperError.BAD_VERSION
        if isinstance(request, zk.DeleteRequest):
            if self.children(path):
                return ZooKeeperError.NOT_EMPTY
            self.remove(path, zxid)
        elif isinstance(request, zk.SetDataRequest):
            self.znodes[path][0], self.znodes[path][6] = request.data, zxid
            self.znodes[path][1] += 1
        return ZooKeeperError.OK

    def create(self, zxid: int, session: int, request: zk.CreateRequest, path: str) -> ZooKeeperError:
        parent = path.rpartition("/")[0] or "/"
        if parent not in self.znodes:
            return ZooKeeperError.NO_NODE
        if request.flags & SEQUENTIAL:
            path += f"{self.znodes[parent][2]:010d}"
        if path in self.znodes:
            return ZooKeeperError.NODE_EXISTS
        if self.znodes[parent][4]:
            return ZooKeeperError.NO_CHILDREN_FOR_EPHEMERALS
        self.znodes[path] = [request.data, 0, 0, 0, session * (request.flags & EPHEMERAL), zxid, zxid, zxid]
        self.znodes[parent][2] += 1
        self.znodes[parent][7] = zxid
        return ZooKeeperError.OK

    def remove(self, path: str, zxid: int) -> None:
        parent = path.rpartition("/")[0] or "/"
        del self.znodes[path]
        self.znodes[parent][3] += 1
        self.znodes[parent][7] = zxid


PATHS = st.sampled_from(["/a", "/b", "/a/a", "/a/b", "/b/a", "/a/a/a"])
DATA = st.binary(max_size=3)
VERSIONS = st.integers(-1, 2)
ONE = st.one_of(
    st.builds(zk.CreateRequest, PATHS, DATA, flags=st.integers(0, 3)),
    st.builds(zk.CreateRequest, PATHS, DATA, flags=st.just(0)),
    st.builds(zk.DeleteRequest, PATHS, VERSIONS),
    st.builds(zk.SetDataRequest, PATHS, DATA, VERSIONS),
    st.builds(zk.CheckVersionRequest, PATHS, VERSIONS),
)
REQUESTS = st.one_of(
    ONE,
    ONE,
    st.builds(MultiRequest, st.lists(ONE, min_size=1, max_size=4).map(tuple)),
    st.just(zk.CloseSessionRequest()),
)
PROGRAMS = st.lists(st.tuples(st.sampled_from([SESSION, SESSION, OTHER, GONE]), REQUESTS), max_size=40)


@given(PROGRAMS)
def test_a_tree_is_what_a_model_of_dictionaries_says(program: list[tuple[int, Any]]) -> None:
    grown, model = Grown(), Model()
    for session, request in program:
        applied = grown.do(request, session)

        assert model.do(applied.change.zxid, session, request) == applied.error

    tree = grown.tree
    assert sorted(model.znodes) == sorted(tree.znodes)
    assert model.sessions == tree.sessions.keys()
    for path, (data, version, creations, deletions, owner, czxid, mzxid, pzxid) in model.znodes.items():
        stat, children = grown.stat(path), model.children(path)
        assert data == tree.get_data(zk.GetDataRequest(path)).data
        assert tuple(children) == tree.get_children(zk.GetChildrenRequest(path)).children
        counts = (version, creations + deletions, owner, czxid, mzxid, pzxid, len(children), len(data))
        assert counts == (
            *(stat.version, stat.cversion, stat.ephemeral_owner, stat.czxid, stat.mzxid, stat.pzxid),
            *(stat.num_children, stat.data_length),
        )


@given(PROGRAMS)
def test_trees_with_the_same_changes_are_equal_also_through_bytes_copies_and_snapshots(
    program: list[tuple[int, Any]],
) -> None:
    grown, again = Grown(), Grown()
    half = decode_tree(encode_tree(grown.tree))
    for session, request in program:
        grown.do(request, session)
    for applied in grown.applied[2:]:
        again.tree.apply(decode_change(encode_change(applied.change)))
        half.apply(applied.change)

    assert grown.tree.digest == again.tree.digest == half.digest
    assert encode_tree(grown.tree) == encode_tree(deepcopy(grown.tree))
    assert grown.tree.digest == decode_tree(encode_tree(grown.tree)).digest


@given(PROGRAMS, ONE)
def test_the_digest_changes_when_the_tree_does_and_returns_when_it_is_undone(
    program: list[tuple[int, Any]], last: Any
) -> None:
    grown = Grown()
    for session, request in program:
        grown.do(request, session)
    before, digest = encode_tree(grown.tree)[8:], grown.tree.digest  # behind the zxid
    refused = zk.CheckVersionRequest("/nowhere")
    grown.do(MultiRequest((last, refused)))
    assert (sorted(before), digest) == (sorted(encode_tree(grown.tree)[8:]), grown.tree.digest)

    events = grown.do(last).events

    assert bool(events) == (digest != grown.tree.digest)


def test_a_sequential_name_counts_what_was_ever_created_there() -> None:
    grown = Grown()
    grown.do(zk.CreateRequest("/queue"))
    names = []
    for _ in range(3):
        names.append(grown.do(zk.CreateRequest("/queue/n_", flags=SEQUENTIAL)).answer.path)
        grown.do(zk.DeleteRequest(names[-1]))

    assert ["/queue/n_0000000000", "/queue/n_0000000001", "/queue/n_0000000002"] == names
    assert "/queue/0000000003" == grown.do(zk.CreateRequest("/queue/", flags=SEQUENTIAL)).answer.path


def test_an_ephemeral_znode_goes_with_its_session_and_cannot_have_children() -> None:
    """Z1."""
    grown = Grown()
    grown.do(zk.CreateRequest("/ids"))
    grown.do(zk.CreateRequest("/ids/101", flags=EPHEMERAL))
    grown.do(zk.CreateRequest("/ids/102", flags=EPHEMERAL), OTHER)
    child = grown.do(zk.CreateRequest("/ids/101/x"))

    events = grown.do(zk.CloseSessionRequest()).events

    assert ZooKeeperError.NO_CHILDREN_FOR_EPHEMERALS is child.error
    assert [("/ids/101", EventType.NODE_DELETED), ("/ids", EventType.NODE_CHILDREN_CHANGED)] == events
    assert ("102",) == grown.tree.get_children(zk.GetChildrenRequest("/ids")).children
    assert ZooKeeperError.SESSION_EXPIRED is grown.do(zk.CreateRequest("/late")).error


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (zk.CreateRequest("a"), ZooKeeperError.BAD_ARGUMENTS),
        (zk.CreateRequest("/a/"), ZooKeeperError.BAD_ARGUMENTS),
        (zk.CreateRequest("/a//b"), ZooKeeperError.BAD_ARGUMENTS),
        (zk.CreateRequest(None), ZooKeeperError.BAD_ARGUMENTS),
        (zk.CreateRequest("/"), ZooKeeperError.NODE_EXISTS),
        (zk.CreateRequest("/a", flags=5), ZooKeeperError.UNIMPLEMENTED),  # a znode that expires
        (zk.CreateRequest("/no/where"), ZooKeeperError.NO_NODE),
        (zk.DeleteRequest("/"), ZooKeeperError.BAD_ARGUMENTS),
        (zk.SetDataRequest("/nowhere"), ZooKeeperError.NO_NODE),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing_but_the_zxid(request_: Any, error: ZooKeeperError) -> None:
    grown = Grown()
    digest = grown.tree.digest

    applied = grown.do(request_)

    assert (error, None, []) == (applied.error, applied.answer, applied.events)
    assert (3, digest) == (grown.tree.zxid, grown.tree.digest)


def test_a_multi_does_all_or_nothing_and_says_what_became_of_each() -> None:
    """Later operations see earlier ones; one that is refused takes all of them back."""
    grown = Grown()
    both = (zk.CreateRequest("/a", b"1"), zk.CreateRequest("/a/b", flags=EPHEMERAL), zk.SetDataRequest("/a", b"2", 0))
    done = grown.do(MultiRequest(both))
    digest = grown.tree.digest

    failed = grown.do(MultiRequest((zk.DeleteRequest("/a/b"), zk.CheckVersionRequest("/a", 7), zk.CreateRequest("/c"))))

    assert ("/a", "/a/b", 1) == tuple(getattr(one, "path", 1) for one in done.answer.results)
    errors = (ZooKeeperError.OK, ZooKeeperError.BAD_VERSION, ZooKeeperError.RUNTIME_INCONSISTENCY)
    assert MultiResponse(tuple(map(ErrorResponse, errors))) == failed.answer
    assert ZooKeeperError.OK is failed.error  # as ZooKeeper: the parts tell
    assert ([], digest) == (failed.events, grown.tree.digest)
    assert 1 == grown.do(zk.CloseSessionRequest()).events.count(("/a/b", EventType.NODE_DELETED))  # still its owner's


def test_reading_says_what_is_there_and_that_nothing_is() -> None:
    grown = Grown()
    grown.do(zk.CreateRequest("/a", None))
    grown.do(zk.CreateRequest("/a/b", b"xyz"))

    assert zk.GetDataResponse(None, grown.stat("/a")) == grown.tree.get_data(zk.GetDataRequest("/a"))
    assert zk.ExistsResponse(grown.stat("/a/b")) == grown.tree.exists(zk.ExistsRequest("/a/b"))
    assert zk.GetChildren2Response(("b",), grown.stat("/a")) == grown.tree.get_children(zk.GetChildren2Request("/a"))
    with pytest.raises(Refused, match="NO_NODE"):
        grown.tree.get_data(zk.GetDataRequest("/b"))
