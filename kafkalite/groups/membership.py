"""The members of one group: their ids, what they can do, who leads, and which assignor they agree on."""

from __future__ import annotations

from collections import Counter

from kafkalite.types import GroupImage, JoinAsked, MemberImage

Protocols = tuple[tuple[str, bytes], ...]  # the assignors a member can do, best first, with what it tells each


class Member:
    """One member. `is_new` until it is in a generation."""

    __slots__ = (
        "assignment",
        "client_host",
        "client_id",
        "expires_ms",
        "id",
        "instance",
        "is_new",
        "protocols",
        "rebalance_timeout_ms",
        "session_timeout_ms",
    )

    def __init__(self, member_id: str, instance: str | None, client_id: str, client_host: str) -> None:
        self.id, self.instance = member_id, instance
        self.client_id, self.client_host = client_id, client_host
        self.protocols: Protocols = ()
        self.session_timeout_ms = self.rebalance_timeout_ms = 0
        self.assignment = b""
        self.expires_ms = 0.0
        self.is_new = True

    def subscription(self, protocol: str | None) -> bytes:
        """What it tells that assignor."""
        return next((metadata for name, metadata in self.protocols if name == protocol), b"")


class Membership:
    """Who is in. Members stand in the order in which they came; the leader is "" while nobody is in."""

    def __init__(self) -> None:
        self.members: dict[str, Member] = {}
        self.instances: dict[str | None, str] = {}  # group.instance.id -> member id
        self.leader = ""
        self._supporters: Counter[str] = Counter()  # assignor -> how many members can do it

    @classmethod
    def restored(cls, image: GroupImage) -> Membership:
        """The members that a group had when it was written to the log."""
        restored = cls()
        for one in image.members:
            member = Member(one.member, one.instance, one.client_id, one.client_host)
            member.session_timeout_ms, member.rebalance_timeout_ms = one.session_timeout_ms, one.rebalance_timeout_ms
            member.assignment, member.is_new = one.assignment, False
            restored._enter(member)
            restored._offer(member, ((image.protocol or "", one.subscription),))
        restored.leader = image.leader or ""
        return restored

    @property
    def rebalance_timeout_ms(self) -> int:
        """The time of the slowest."""
        return max((member.rebalance_timeout_ms for member in self.members.values()), default=0)

    def add(self, event: JoinAsked, member_id: str) -> Member:
        """One member more; the first one leads."""
        member = Member(member_id, event.instance, event.client_id, event.client_host)
        self._enter(member)
        self.update(member, event)
        self.leader = self.leader or member_id
        return member

    def update(self, member: Member, event: JoinAsked) -> None:
        """What it said when it joined (again)."""
        member.session_timeout_ms, member.rebalance_timeout_ms = event.session_timeout_ms, event.rebalance_timeout_ms
        self._offer(member, event.protocols)

    def rename(self, member: Member, new_id: str) -> None:
        """The member goes by another id now."""
        del self.members[member.id]
        self.leader = new_id if self.leader == member.id else self.leader
        member.id = new_id
        self._enter(member)

    def remove(self, member_id: str) -> Member:
        """One member less. If it led, the one that came first of the others does."""
        member = self.members.pop(member_id)
        self._offer(member, ())
        if member.instance is not None:
            del self.instances[member.instance]
        if self.leader == member_id:
            self.leader = next(iter(self.members), "")
        return member

    def _enter(self, member: Member) -> None:
        self.members[member.id] = member
        if member.instance is not None:
            self.instances[member.instance] = member.id

    def _offer(self, member: Member, protocols: Protocols) -> None:
        self._supporters.subtract(dict(member.protocols).keys())
        member.protocols = protocols
        self._supporters.update(dict(protocols).keys())

    def stranger(self, member: str, instance: str | None) -> str:
        """Why this is no member of ours: another one has its instance id, or it is none at all; "" if it is one."""
        if instance is not None and self.instances.get(instance, member) != member:
            return "FENCED_INSTANCE_ID"
        is_known = member in self.members and (instance is None or instance in self.instances)
        return "" if is_known else "UNKNOWN_MEMBER_ID"

    # Which assignor -------------------------------------------------------------------------------------------------

    def supports(self, protocols: Protocols) -> bool:
        """Whether all who are in can do one of these."""
        return any(self._supporters[name] == len(self.members) for name, _ in protocols)

    def vote(self) -> str:
        """Of what all can do, what most like best; of equally many votes, what the first member likes better."""
        votes: Counter[str] = Counter()
        for member in self.members.values():
            votes[next(name for name, _ in member.protocols if self._supporters[name] == len(self.members))] += 1
        first = [name for name, _ in next(iter(self.members.values())).protocols]
        return min(votes, key=lambda name: (-votes[name], first.index(name)))

    def vote_after(self, member: Member, event: JoinAsked) -> str | None:
        """The same, if that member said what it says now; None if there would be nothing that all can do."""
        was = member.protocols
        self._offer(member, event.protocols)
        found = self.vote() if self.supports(event.protocols) else None
        self._offer(member, was)
        return found

    # What it looks like from outside --------------------------------------------------------------------------------

    def subscriptions(self, protocol: str | None) -> tuple[tuple[str, str | None, bytes], ...]:
        """What the leader is told."""
        return tuple((one.id, one.instance, one.subscription(protocol)) for one in self.members.values())

    def images(self, protocol: str | None, assignments: dict[str, bytes]) -> tuple[MemberImage, ...]:
        """What the log is told; `assignments` are those about to be in force, by member."""
        return tuple(
            MemberImage(
                one.id,
                one.instance,
                one.client_id,
                one.client_host,
                one.rebalance_timeout_ms,
                one.session_timeout_ms,
                one.subscription(protocol),
                assignments.get(one.id, one.assignment),
            )
            for one in self.members.values()
        )
