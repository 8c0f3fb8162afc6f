"""What an answer may spend. One table for every grader, so that the same answer meets the same end in each.

Parts compute in microseconds; these limits are there for the endless, not for the slow.
"""

from __future__ import annotations

CALL_S = 2.0  # of computing, one call of an answer
PATIENCE = 5  # times CALL_S on the clock: a busy machine must not cost an honest answer, and a sleep must end too
CHECK_S = 60.0  # on the clock, all calls of one check
CELL_S = 10.0  # one cell of the notebook, where a grader runs the cells itself
OUTPUT_BYTES = 1 << 20  # printed by one exercise
BYTECODES = 5_000_000  # of one call, where no timer can interrupt (Windows, or outside the main thread)
