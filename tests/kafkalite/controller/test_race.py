"""The race for /controller: one wins, epochs grow, who has lost the office learns it."""

from __future__ import annotations

import pytest

from kafkalite.controller import znodes
from kafkalite.errors import ErrorCode
from kafkalite.facts import ControllerElected, ControllerResigned
from kafkalite.protocol import zookeeper as zk
from kafkalite.protocol.inter_broker import (
    ControlledShutdownRequest,
    ControlledShutdownResponse,
    LeaderAndIsrRequest,
    UpdateMetadataRequest,
)
from kafkalite.protocol.zookeeper_frames import MultiRequest

from .rig import Rig


def take_office(rig: Rig, broker: int = 102) -> int:
    """Another broker becomes controller in place of whoever is; its session."""
    session = rig.zk.open()
    if rig.exists(znodes.CONTROLLER):
        rig.do(zk.DeleteRequest(znodes.CONTROLLER), session)
    found = rig.zk.tree.znodes[znodes.CONTROLLER_EPOCH]
    epoch = znodes.encode_controller_epoch(znodes.decode_controller_epoch(found.data) + 1)
    create = zk.CreateRequest(znodes.CONTROLLER, znodes.encode_controller(broker, 0), flags=zk.CreateFlags.EPHEMERAL)
    rig.do(MultiRequest((create, zk.SetDataRequest(znodes.CONTROLLER_EPOCH, epoch))), session)
    return session


def test_the_first_broker_of_a_new_cluster_becomes_controller() -> None:
    """Z2."""
    rig = Rig([101, 102]).elect()

    assert [ControllerElected(101, 1)] == rig.facts_of(ControllerElected)
    assert 101 == znodes.decode_controller(rig.zk.tree.znodes[znodes.CONTROLLER].data)
    assert rig.zk.session_id == rig.zk.tree.znodes[znodes.CONTROLLER].stat.ephemeral_owner


def test_a_new_controller_tells_every_broker_who_is_there() -> None:
    """Z1, Z3: brokers learn of each other from the controller, not from ZooKeeper."""
    rig = Rig([101, 102, 103]).elect()

    for broker in (101, 102, 103):
        [request] = rig.told(broker, UpdateMetadataRequest)
        assert (101, 1) == (request.controller_id, request.controller_epoch)
        assert [101, 102, 103] == [one.id for one in request.live_brokers]
        assert request.broker_epoch == rig.zk.tree.znodes[znodes.broker_path(broker)].stat.czxid


def test_who_finds_the_office_held_waits_until_it_is_free() -> None:
    rig = Rig([101, 102])
    rig.do(zk.CreateRequest(znodes.CONTROLLER_EPOCH, b"4"))
    holder = take_office(rig)
    rig.start().run()
    assert not rig.controller.is_active

    rig.do(zk.CloseSessionRequest(), holder)
    rig.run()

    assert [ControllerElected(101, 6)] == rig.facts_of(ControllerElected)


def test_who_was_too_slow_does_not_count_the_epoch_up() -> None:
    """Both in one multi: an epoch that grew for nothing would fence the one who won."""
    rig = Rig([101, 102])

    def be_quicker(request: object) -> None:
        if isinstance(request, MultiRequest):
            rig.zk.before = None
            take_office(rig)

    rig.zk.before = be_quicker
    rig.start().run()

    assert not rig.controller.is_active
    assert b"1" == rig.zk.tree.znodes[znodes.CONTROLLER_EPOCH].data


def test_who_won_and_was_not_told_finds_out() -> None:
    """The answer was lost with the connection; the repeated request finds its own znode."""
    rig = Rig([101])

    def do_it_twice(request: object) -> None:
        if isinstance(request, MultiRequest):
            rig.zk.before = None
            rig.zk.answer(request)

    rig.zk.before = do_it_twice
    rig.start().run()

    assert [ControllerElected(101, 1)] == rig.facts_of(ControllerElected)
    assert b"1" == rig.zk.tree.znodes[znodes.CONTROLLER_EPOCH].data


def test_an_epoch_that_was_another_s_is_not_given_again() -> None:
    """Between our look and our attempt another was controller, and has gone: its epoch must not be ours, too."""
    rig = Rig([101, 102])
    rig.do(zk.CreateRequest(znodes.CONTROLLER_EPOCH, b"4"))

    def come_and_go(request: object) -> None:
        if isinstance(request, MultiRequest):
            rig.zk.before = None
            rig.do(zk.CloseSessionRequest(), take_office(rig))

    rig.zk.before = come_and_go
    rig.start().run()

    assert [ControllerElected(101, 6)] == rig.facts_of(ControllerElected)


def test_what_was_not_answered_yet_is_not_said_again_out_of_office() -> None:
    rig = Rig([101, 102])
    rig.silent.add(102)
    rig.elect()

    rig.expire()
    rig.forget()
    rig.lose("b102#control")

    assert [] == rig.sent
    assert "channels.retry:b102#control" not in rig.timers


def test_with_its_session_a_controller_loses_its_office_and_says_nothing_more() -> None:
    rig = Rig([101, 102]).elect()
    rig.add_topic("orders", {0: [102, 101]})

    rig.expire()
    rig.forget()
    rig.run()

    assert not rig.controller.is_active
    assert ([], []) == (rig.sent, rig.zk.asked)
    assert rig.controller.context is None


def test_after_a_new_session_it_may_win_again_with_a_greater_epoch() -> None:
    rig = Rig([101]).elect()
    rig.expire()

    rig.elect()

    assert [1, 2] == [fact.controller_epoch for fact in rig.facts_of(ControllerElected)]
    assert [ControllerResigned(101, 1)] == rig.facts_of(ControllerResigned)


def test_a_controller_whose_znode_went_resigns_and_runs_again() -> None:
    rig = Rig([101, 102]).elect()

    rig.do(zk.DeleteRequest(znodes.CONTROLLER))
    rig.run()

    assert [1, 2] == [fact.controller_epoch for fact in rig.facts_of(ControllerElected)]
    assert [ControllerResigned(101, 1)] == rig.facts_of(ControllerResigned)


def test_a_controller_whose_office_another_took_resigns_and_waits() -> None:
    """M44: it does not stop by itself, it has to be told."""
    rig = Rig([101, 102]).elect()

    take_office(rig)
    rig.run()

    assert [ControllerResigned(101, 1)] == rig.facts_of(ControllerResigned)
    assert not rig.controller.is_active


def test_every_write_of_a_controller_names_the_epoch_it_was_elected_in() -> None:
    """M44: whatever it writes, it writes only if nobody was elected after it."""
    rig = Rig([101, 102, 103]).elect()
    rig.zk.asked.clear()

    rig.add_topic("orders", {0: [102, 101], 1: [103, 101]})
    rig.run().kill(102)
    rig.run()
    rig.do(zk.CreateRequest(znodes.delete_topic_path("orders")))
    rig.run().register(102)
    rig.run()

    assert not rig.exists(znodes.topic_path("orders"))
    writes = rig.writes()
    assert len(writes) > 8
    for request in writes:
        assert isinstance(request, MultiRequest)
        assert zk.CheckVersionRequest(znodes.CONTROLLER_EPOCH, 1) == request.operations[0]


def test_a_write_that_is_refused_because_of_the_epoch_ends_the_office() -> None:
    """The zombie: its session has been gone for long, and the first it hears of it is that it may not write."""
    rig = Rig([101, 102, 103]).elect()
    rig.add_topic("orders", {0: [102, 101]})
    rig.run().forget()

    def be_deposed(request: object) -> None:
        if isinstance(request, MultiRequest):
            rig.zk.before = None
            rig.zk.watches.forget("me")  # the news of it is on its way
            take_office(rig)

    rig.kill(102)
    rig.zk.before = be_deposed
    rig.run()

    assert [ControllerResigned(101, 1)] == rig.facts_of(ControllerResigned)
    assert 102 == rig.state("orders", 0).leader, "nothing was written"
    assert [] == rig.told(101, LeaderAndIsrRequest)


def test_a_broker_that_heard_a_later_controller_ends_the_office() -> None:
    rig = Rig([101, 102]).elect()
    rig.errors[102] = ErrorCode.STALE_CONTROLLER_EPOCH

    rig.register(103)
    rig.run()

    assert [ControllerResigned(101, 1)] == rig.facts_of(ControllerResigned)


def test_a_state_that_a_later_controller_wrote_ends_the_office() -> None:
    rig = Rig([101, 102, 103]).elect()
    rig.add_topic("orders", {0: [102, 101]})
    rig.run()
    rig.zk.watches.forget("me")
    state = rig.state("orders", 0)
    rig.set_state("orders", 0, type(state)(103, 5, (103,), controller_epoch=2))

    rig.ask("b101#admin", ControlledShutdownRequest(102))

    assert [ControllerResigned(101, 1)] == rig.facts_of(ControllerResigned)
    assert [("b101#admin", ControlledShutdownResponse(ErrorCode.NOT_CONTROLLER))] == rig.replies


@pytest.mark.parametrize("after", range(25))
def test_a_new_controller_that_dies_at_any_moment_leaves_nothing_half_done(after: int) -> None:
    """Its successor reads everything, and does what was left."""
    rig = Rig([101, 102, 103])
    rig.start().run()
    rig.add_topic("orders", {0: [102, 101, 103], 1: [103, 102, 101]})
    rig.kill(103)
    for _ in range(after):
        if rig.zk.inbox:
            rig.zk.serve()
        if rig.zk.outbox:
            rig.deliver_one()

    rig.expire()
    rig.elect()

    assert (102, 101) == (rig.state("orders", 0).leader, rig.state("orders", 1).isr[-1])
    for partition in (0, 1):
        state = rig.state("orders", partition)
        assert {102, 101} == set(state.isr)
        assert state.controller_epoch in {1, 2}
        assert 102 == state.leader
        last = rig.partition_told(102, "orders", partition)[-1]
        assert (state.leader, state.leader_epoch, state.isr) == (last.leader, last.leader_epoch, last.isr)
        assert state.zk_version == last.zk_version
