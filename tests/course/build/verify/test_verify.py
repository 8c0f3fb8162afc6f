"""The whole verification: no chapter has a problem, and a text that cannot be built is one."""

from __future__ import annotations

from pathlib import Path

import pytest

from course.build import write_release
from course.build.verify import problems, steps
from course.chapters.catalog import chapter, names
from tests.course.build.seam import PACKAGE, seam, with_text


@pytest.mark.parametrize("name", [*names(), PACKAGE])
def test_there_is_nothing_wrong_with_a_chapter(tmp_path: Path, name: str) -> None:
    write_release(chapter(name), tmp_path)

    assert [] == [str(problem) for problem in problems(chapter(name), tmp_path)]


def test_a_text_that_cannot_be_built_is_the_one_problem(tmp_path: Path) -> None:
    (problem,) = problems(with_text(tmp_path, ("{{about:log}}", "{{about:logg}}")), tmp_path)

    assert f"{tmp_path}/chapter.md:39: the chapter has no 'logg'" in str(problem)


def test_without_kernels_there_is_less_to_do(tmp_path: Path) -> None:
    everything, fast = (steps(seam(), tmp_path, kernels=kernels) for kernels in (True, False))

    left_out = {step.name for step in everything} - {step.name for step in fast}
    assert {"the solved notebook in a kernel", "the released notebook in a kernel"} == left_out
