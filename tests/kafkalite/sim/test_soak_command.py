"""`python -m kafkalite soak` from a shell: what it prints, and how it ends."""

from __future__ import annotations

from dataclasses import replace
from multiprocessing import active_children

import pytest

from kafkalite import reference
from kafkalite.__main__ import main
from kafkalite.sim import soak as soaking
from kafkalite.sim.soak import explain, soak

SHORT = ["soak", "--seeds", "1", "--deliveries", "0", "--jobs", "1"]


def _own_end(end_offsets: dict[int, int], *_: object) -> int:
    """A leader that takes for committed whatever the first of all replicas has."""
    return max(end_offsets.values())


HASTY = replace(reference.REFERENCE, high_watermark=_own_end)


def test_a_soak_without_a_finding_ends_with_0_and_tells_what_it_reached_the_rarest_first(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert 0 == main(SHORT)

    told = capsys.readouterr().out
    assert told.startswith("1 runs, ")
    assert "\nthe slowest is seed 1: " in told
    assert told.endswith("seeds with a problem: none\n")
    rows = [line.split() for line in told.splitlines() if line.startswith("  ")]
    counts = [int(times.replace(",", "")) for times, _ in rows]
    assert sorted(counts) == counts
    assert set(soaking.EXPECTED) <= {name for _, name in rows}


def test_a_run_that_breaks_a_rule_is_told_with_the_command_that_explains_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "REFERENCE", HASTY)

    assert 1 == main([*SHORT, "--first", "3"])

    told = capsys.readouterr().out
    assert "seed 3 (" in told
    assert "watermark-ahead: " in told
    assert "why: python -m kafkalite soak --first 3 --seeds 1 --deliveries 0 --explain" in told
    assert told.endswith("seeds with a problem: 3\n")


def test_it_is_explained_with_the_fewest_faults(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "REFERENCE", HASTY)

    assert 1 == main([*SHORT, "--explain"])

    told = capsys.readouterr().out
    assert "seed 1 with the fewest faults:\nwatermark-ahead: " in told
    assert "seed 1, 0 faults (it takes none to go wrong; " in told
    assert "HighWatermarkAdvanced(" in told
    assert "--explain" not in told


def test_a_node_that_raises_is_a_finding_of_its_seed_and_the_others_go_on() -> None:
    def broken(*_: object) -> int:
        raise KeyError("no such thing")

    summary = soak((1, 2), deliveries_min=0, jobs=1, parts=replace(reference.REFERENCE, high_watermark=broken))

    assert 2 == summary.runs
    assert [1, 2] == [one.seed for one in summary.failed]
    assert all("KeyError" in one.problems[0] for one in summary.failed)
    assert "node-raised: KeyError" in explain(1, 0, replace(reference.REFERENCE, high_watermark=broken))


def test_a_run_in_which_nothing_goes_wrong_cannot_be_explained() -> None:
    with pytest.raises(ValueError, match="shows no violation"):
        explain(1, 0)


def test_runs_side_by_side_are_the_runs_one_after_the_other() -> None:
    alone = soak((1, 2), deliveries_min=0, jobs=1)
    together = soak((1, 2), deliveries_min=0, jobs=2)

    assert (2, []) == (alone.runs, alone.failed)
    assert alone == together


def test_ctrl_c_ends_the_runs_under_way_too() -> None:
    def tell(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        soak(range(1, 10_000), deliveries_min=0, jobs=2, tell=tell)

    assert [] == active_children()


@pytest.mark.parametrize("wrong", [["--seeds", "0"], ["--seeds", "x"], ["--jobs", "-1"], ["--first"]], ids=" ".join)
def test_a_wrong_command_line_ends_with_2(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["soak", *wrong])

    assert 2 == ended.value.code
    assert f"argument {wrong[0]}" in capsys.readouterr().err


def test_help_says_what_a_soak_is_and_how_it_ends(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as ended:
        main(["soak", "--help"])

    assert 0 == ended.value.code
    told = capsys.readouterr().out
    for said in ("the same seed is the same run", "--explain", "exit codes", "examples"):
        assert said in told
    assert max(map(len, told.splitlines())) <= 80
