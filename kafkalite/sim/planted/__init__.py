"""Planted bugs: the system made wrong in one place, so that the checkers are checked."""

from kafkalite.sim.planted import dispatching, groups, parts, patches, transactions
from kafkalite.sim.planted.bug import Bug, Patch, control, hunt, seeds_to_find

BUGS: tuple[Bug, ...] = (*parts.BUGS, *patches.BUGS, *groups.BUGS, *transactions.BUGS, *dispatching.BUGS)

__all__ = ["BUGS", "Bug", "Patch", "control", "hunt", "seeds_to_find"]
