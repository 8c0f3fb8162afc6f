"""The player, alive: what its slider, buttons and keys do in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from course.diagrams.frames import Frame, Picture
from course.diagrams.player import player

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page

pytestmark = pytest.mark.browser

Open = Callable[..., "Page"]


def frames(count: int, marked: tuple[int, ...] = ()) -> list[Frame]:
    return [
        Frame(
            Picture(100, 50, ("<g transform='translate(1 1)'>", f"<text x='1' y='20'>n{i}</text>", "</g>")),
            f"caption {i}",
            f"step {i}",
            "rule broken here" if i in marked else None,
        )
        for i in range(count)
    ]


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 800, "height": 600}, offline=True)
    made.set_default_timeout(90_000)
    yield made
    made.close()


@pytest.fixture
def show(context: BrowserContext) -> Iterator[Open]:
    """Open a page; when the test ends, nothing must have gone wrong in it."""
    wrong: list[str] = []

    def opened(html: str) -> Page:
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text))
        page.set_content(html)
        return page

    yield opened
    assert [] == wrong


def place(page: Page | Locator) -> str:
    return page.locator(".kl-count").inner_text()


def test_it_opens_at_its_start_with_picture_caption_and_slider_in_step(show: Open) -> None:
    page = show(player(frames(5), start=3, label="run").page())

    assert "4 / 5" == place(page)
    assert "n3" == page.locator(".kl-stage svg text").text_content()
    assert "step 3 caption 3" == " ".join(page.locator(".kl-now").inner_text().split())
    assert "3" == page.get_by_role("slider").input_value()
    assert "step 4 / 5: step 3 caption 3" == page.get_by_role("slider").get_attribute("aria-valuetext")


def test_the_slider_and_the_buttons_move_it(show: Open) -> None:
    page = show(player(frames(5), label="run").page())
    seen = []

    page.get_by_role("slider").fill("3")
    seen.append(place(page))
    for name in ("one step on", "one step back", "first step", "last step"):
        page.get_by_role("button", name=name).click()
        seen.append(place(page))

    assert ["4 / 5", "5 / 5", "4 / 5", "1 / 5", "5 / 5"] == seen


def test_at_an_end_the_buttons_that_lead_further_say_that_they_do_not(show: Open) -> None:
    page = show(player(frames(3), label="run").page())
    names = ("first step", "one step back", "play", "one step on", "last step")

    def off() -> list[str]:
        return [name for name in names if page.get_by_role("button", name=name).is_disabled()]

    at_first = off()
    page.get_by_role("button", name="last step").click()

    assert ["first step", "one step back"] == at_first
    assert ["one step on", "last step"] == off()


def test_keys_move_it_and_are_kept_from_the_page_around_it(show: Open) -> None:
    """JupyterLab listens above: an arrow would move to another cell."""
    page = show(player(frames(30), label="run").page())
    page.evaluate("() => { window.heard = []; document.addEventListener('keydown', e => heard.push(e.key)); }")
    page.get_by_role("slider").focus()
    seen = []

    for key in ("ArrowRight", "ArrowUp", "ArrowLeft", "ArrowDown", "End", "PageDown", "Home"):
        page.keyboard.press(key)
        seen.append(place(page))

    assert ["2 / 30", "3 / 30", "2 / 30", "1 / 30", "30 / 30", "20 / 30", "1 / 30"] == seen
    assert [] == page.evaluate("heard")


def test_keys_it_has_no_use_for_reach_the_page(show: Open) -> None:
    page = show(player(frames(3), label="run").page())
    page.evaluate("() => { window.heard = []; document.addEventListener('keydown', e => heard.push(e.key)); }")
    page.get_by_role("slider").focus()

    for key in ("Escape", "Control+b", "x"):
        page.keyboard.press(key)

    assert ["Escape", "Control", "b", "x"] == page.evaluate("heard")
    assert "1 / 3" == place(page)


def test_keys_pressed_elsewhere_do_nothing_to_it(show: Open) -> None:
    page = show(player(frames(3), label="run").page())

    page.keyboard.press("ArrowRight")

    assert "1 / 3" == place(page)


def test_space_on_a_button_presses_that_button(show: Open) -> None:
    page = show(player(frames(3), label="run").page())
    page.get_by_role("button", name="last step").focus()

    page.keyboard.press("Space")

    assert "3 / 3" == place(page)
    assert 1 == page.get_by_role("button", name="play").count()


@pytest.mark.parametrize(("motion", "first_ms"), [("no-preference", 1100), ("reduce", 2200)])
def test_playing_runs_to_the_end_and_stops_slower_for_those_who_want_less_motion(
    show: Open, motion: Any, first_ms: int
) -> None:
    page = show("<p>not yet</p>")
    page.emulate_media(reduced_motion=motion)
    page.clock.install(time=0)
    page.clock.pause_at(1000)
    page.set_content(player(frames(4), label="run").page())
    page.get_by_role("slider").focus()
    live = page.locator(".kl-now")

    page.keyboard.press("Space")
    page.clock.run_for(first_ms - 10)
    seen = [place(page)]
    page.clock.run_for(20)
    seen.append(place(page))
    playing = page.get_by_role("button", name="pause").count(), live.get_attribute("aria-live")
    page.clock.run_for(first_ms)
    seen.append(place(page))
    page.clock.run_for(5 * first_ms)
    seen.append(place(page))
    stopped = page.get_by_role("button", name="play").count(), live.get_attribute("aria-live")

    assert ["1 / 4", "2 / 4", "3 / 4", "4 / 4"] == seen
    assert (1, "off") == playing
    assert (1, "polite") == stopped


@pytest.mark.parametrize(("motion", "names"), [("no-preference", ["kl-new"]), ("reduce", ["none"])])
def test_only_what_is_new_fades_in_and_only_for_those_who_want_motion(
    show: Open, motion: Any, names: list[str]
) -> None:
    page = show(player(frames(3), label="run").page())
    page.emulate_media(reduced_motion=motion)

    page.get_by_role("button", name="one step on").click()

    fresh = page.locator(".kl-new")
    assert ["n1"] == fresh.all_text_contents()
    assert names == fresh.evaluate_all("all => all.map(one => getComputedStyle(one).animationName)")


def test_flags_are_jumped_to_in_turn_and_said_in_words(show: Open) -> None:
    page = show(player(frames(9, marked=(2, 6)), label="run").page())
    jump = page.get_by_role("button", name="jump to the next flag")
    seen = []

    for _ in range(3):
        jump.click()
        seen.append(place(page))

    assert ["3 / 9", "7 / 9", "3 / 9"] == seen
    assert "⚑ rule broken here" == page.locator(".kl-now mark").inner_text()
    assert 2 == page.locator(".kl-flag").count()


def test_a_single_flag_has_its_reason_beside_it(show: Open) -> None:
    page = show(player(frames(9, marked=(6,)), label="run").page())

    assert "rule broken here" == page.locator(".kl-why").inner_text()


def test_two_players_on_a_page_are_independent_and_leave_no_globals(show: Open) -> None:
    one, other = player(frames(4), label="one"), player(frames(6), start=2, label="other")
    page = show("<p>before</p>")
    before = page.evaluate("Object.keys(window).length")
    page.set_content(one.html + other.html)
    first, second = page.get_by_role("group", name="one"), page.get_by_role("group", name="other")

    first.get_by_role("button", name="last step").click()

    assert ("4 / 4", "3 / 6") == (place(first), place(second))
    assert before == page.evaluate("Object.keys(window).length")


def test_a_script_put_in_later_finds_its_own_player(show: Open) -> None:
    """Notebooks put the HTML in first, and then each script anew."""
    page = show("<div></div>")
    page.evaluate(
        """html => {
          const host = document.querySelector("div");
          host.innerHTML = html;
          for (const old of host.querySelectorAll("script")) {
            const made = document.createElement("script");
            for (const {name, value} of old.attributes) made.setAttribute(name, value);
            made.textContent = old.textContent;
            old.replaceWith(made);
          }
        }""",
        player(frames(4), start=1, label="one").html + player(frames(6), start=2, label="other").html,
    )

    assert ["2 / 4", "3 / 6"] == page.locator(".kl-count").all_inner_texts()


def test_it_works_in_a_sandboxed_frame_under_a_policy_that_allows_only_its_script(show: Open) -> None:
    page = show("<iframe sandbox='allow-scripts' width='700' height='500'></iframe>")
    page.locator("iframe").evaluate("(frame, html) => { frame.srcdoc = html; }", player(frames(4), label="run").page())
    inside = page.frame_locator("iframe")

    inside.get_by_role("button", name="last step").click()

    assert "4 / 4" == inside.locator(".kl-count").inner_text()


def test_hostile_texts_are_shown_and_do_nothing(show: Open, hostile: dict[str, Any]) -> None:
    made = player([Frame(Picture(9, 9, ()), text, text, text) for text in hostile.values()], label=hostile["tag"])
    page = show(f"<title>calm</title>{made.html}")

    for _ in range(len(hostile) - 1):
        page.get_by_role("button", name="one step on").click()

    assert "calm" == page.title()
    assert 0 == page.locator(".kl-player img").count()
    page.get_by_role("button", name="first step").click()
    assert hostile["tag"] == page.locator(".kl-now span").inner_text()


def test_without_scripts_the_picture_and_the_words_are_there(browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_content(player(frames(4), start=2, label="run").page())

    assert "run: caption 2" == page.locator("img").get_attribute("alt")
    assert 0 == page.locator("button").count()
    page.locator("summary").click()
    assert 4 == page.locator("li:visible").count()
    context.close()


@pytest.mark.parametrize(
    ("theme", "scheme", "paper"), [("false", "light", "rgb(21, 24, 29)"), ("true", "dark", "rgb(255, 255, 255)")]
)
def test_the_theme_of_the_notebook_goes_before_the_systems(show: Open, theme: str, scheme: Any, paper: str) -> None:
    page = show(f"<body data-jp-theme-light='{theme}'>{player(frames(2), label='run').html}")
    page.emulate_media(color_scheme=scheme)

    assert paper == page.locator(".kl-player").evaluate("player => getComputedStyle(player).backgroundColor")


def test_at_600_px_nothing_is_cut_off_and_letters_are_12_px_or_more(show: Open, long_run: list[Frame]) -> None:
    page = show(player(long_run, start=180, label="run").page())
    page.set_viewport_size({"width": 600, "height": 700})

    assert page.evaluate("document.documentElement.scrollWidth") <= 600
    sizes = page.locator(".kl-stage svg text").evaluate_all(
        "all => all.map(text => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a)"
    )
    assert min(sizes) >= 12
