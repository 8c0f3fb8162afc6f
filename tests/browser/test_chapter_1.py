"""Chapter 1 in JupyterLab in a real browser, as a learner meets it on the first day.

What the checks, the player and `course learn` do by themselves is tested where they are; here, that they come together
on the screen. Left out: the second and third exercise, which take the same road.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.answers import RIGHT, WRONG

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.browser.conftest import Keep
    from tests.browser.notebook_page import NotebookPage

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def words(shown: Locator) -> str:
    """What it says, in one line."""
    return " ".join((shown.text_content() or "").split())


def caption(player: Locator) -> str:
    return words(player.locator(".kl-now"))


def test_a_wrong_answer_is_shown_where_it_breaks_and_a_right_one_has_all_the_points(
    new_chapter: NotebookPage, keep: Keep
) -> None:
    new_chapter.hide_files()
    keep("chapter.png", new_chapter.page)
    new_chapter.page.set_viewport_size({"width": 1100, "height": 1200})  # a verdict and its player fit
    new_chapter.run("setup")
    new_chapter.write("log", WRONG)
    new_chapter.run("log")

    verdict = new_chapter.run("log-append").locator(".kl-verdict")

    assert words(verdict.locator(".kl-score")).startswith("2 of 5 points. 2/4 rules hold on the")
    assert [
        "✗ broken append returns the base offset: the offset of the first value of the batch 0 of 2 points",
        "✗ broken appending no values changes nothing and returns the end 0 of 1 point",
        "✓ holds end is the next offset to be written, not the last one written 1 point",
        "✓ holds start stays where it was, however much is appended 1 point",
    ] == [words(rule) for rule in verdict.locator(".kl-rules li").all()]
    assert "append(['a', 'b', 'c']) must return 0" in words(verdict.locator(".kl-story").first)
    assert "Which of the three does it need to know?" in words(verdict.locator(".kl-asks"))

    player = verdict.locator(".kl-player")
    slider = player.get_by_role("slider")
    at_the_bad_step = caption(player)
    assert "RULE BROKEN: append(['a', 'b', 'c']) must return 0" in at_the_bad_step
    assert at_the_bad_step.endswith("⚑ rule broken here")
    keep("verdict.png", new_chapter.cell("log-append"))

    last = int(slider.get_attribute("max") or 0)
    slider.click(position={"x": 2, "y": 10})  # its left end
    assert f"1 / {last + 1}" == words(player.locator(".kl-count"))
    assert caption(player) not in ("", at_the_bad_step)
    selected = new_chapter.selected()
    for key, place in (("ArrowRight", 1), ("ArrowUp", 2), ("ArrowLeft", 1), ("End", last), ("Home", 0)):
        slider.press(key)
        assert f"{place + 1} / {last + 1}" == words(player.locator(".kl-count"))
    assert selected == new_chapter.selected()
    player.get_by_role("button", name="jump to the next flag").click()
    assert at_the_bad_step == caption(player)

    new_chapter.write("log", RIGHT)
    new_chapter.run("log")
    for check in ("log-append", "log-read"):
        mended = new_chapter.run(check).locator(".kl-verdict")
        assert words(mended.locator(".kl-score")).startswith("5 of 5 points. 4/4 rules hold on the")
        assert 0 == mended.locator(".kl-player, .kl-story, .kl-asks").count()

    new_chapter.save()
    assert RIGHT == new_chapter.source("log")


def test_run_all_of_the_untouched_chapter_stops_nowhere_and_scores_nothing(run_chapter: NotebookPage) -> None:
    checks = []
    for cell in run_chapter.on_disk():
        told = [one for one in cell.get("outputs", []) if one["output_type"] == "error" or one.get("name") == "stderr"]
        assert [] == told, "".join(cell["source"])
        if cell["metadata"].get("kafkalite", {}).get("role") == "check":
            checks.append(cell["metadata"]["nbgrader"]["grade_id"])
    assert {"log-append", "log-read", "cursor-check", "deliver-check"} == set(checks)
    for check in checks:
        assert words(run_chapter.cell(check).locator(".kl-score")).startswith("0 of ")


def test_after_a_reload_players_are_alive(run_chapter: NotebookPage) -> None:
    """Scripts in outputs run only in notebooks that Jupyter trusts: it trusts what it has run and saved itself."""
    saved = sum(html.count('<div class="kl kl-player') for html in _shown(run_chapter))
    players = run_chapter.page.locator(".kl-player").filter(has=run_chapter.page.locator(".kl-bar"))

    run_chapter.reload()

    players.nth(saved - 1).wait_for(state="attached")
    assert saved == players.count() > 0
    for player in players.all():
        player.get_by_role("slider").press("Home")
        player.get_by_role("button", name="one step on").click()
        assert words(player.locator(".kl-count")).startswith("2 / ")


def _shown(notebook: NotebookPage) -> Iterator[str]:
    """The HTML of every output in the file."""
    for cell in notebook.on_disk():
        for output in cell.get("outputs", []):
            yield "".join(output.get("data", {}).get("text/html", ""))
