"""A classroom: an nbgrader course for one cohort, that stock nbgrader runs unchanged.

`layout` makes its folder, `settings` reads what its nbgrader_config.py says, `canary` grades two submissions whose
scores are known before anybody else's. Grading itself is nbgrader's business, or the autograder's.
"""

from __future__ import annotations


class CannotTeach(Exception):
    """The course folder cannot be made or used; the message says what was expected, what came, and what to do."""
