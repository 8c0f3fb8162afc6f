"""What grading one submission may take: the notebook's own limits, and what only a box can limit.

Everything that a learner's answer meets in the notebook too comes from `course.checks.limits`, so that the same answer
meets the same end. The rest bounds what the notebook leaves to the person before it: all cells together, and memory.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from autograder.box import Limits
from course.checks import limits

GRACE_S = 0.5
"""The worker interrupts what takes too long and says where; if it has not said so by then, its box is killed."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that one check of one submission may take.

    Seconds are of computing; on the clock each may take `limits.PATIENCE` times as long, so that a busy machine costs
    nobody points. Only `check_s` is on the clock as it stands.
    """

    call_s: float = limits.CALL_S
    """One call of an answer."""
    check_s: float = limits.CHECK_S
    """All calls of one check."""
    cell_s: float = limits.CELL_S
    """One cell."""
    cells_s: float = 4 * limits.CELL_S
    """All cells that run before a check, together, boxes that were lost on the way included."""
    output_bytes: int = limits.OUTPUT_BYTES
    """Printed by one cell, or by the answer during one check."""
    memory_bytes: int = 512 << 20
    """Address space of the worker, the interpreter included."""

    def box_limits(self) -> Limits:
        """For a box; the grader's own deadlines are tighter, these are for when it does not get to them."""
        computing_s = self.cells_s + self.cell_s + self.check_s + self.call_s
        return Limits(
            memory_bytes=self.memory_bytes,
            cpu_s=math.ceil(computing_s),
            wall_s=limits.PATIENCE * computing_s + 60,  # the checks' own work between the calls counts, too
            output_bytes=4 * self.output_bytes,
        )
