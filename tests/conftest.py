"""What tests of several folders share: one browser, drawn examples, and a garbage collector that calls nobody.

Playwright allows one of its drivers in a process at a time.
"""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",  # a container's root could not start it otherwise; only our own pages are opened
    "--disable-gpu",
    "--disable-background-networking",  # it looks for updates and lists otherwise
    "--no-proxy-server",
    "--force-color-profile=srgb",  # the same screenshots everywhere
    "--hide-scrollbars",
)

# The same examples in every run, and none fails for having been slow: that is the machine's, not the answer's.
settings.register_profile(
    "kafkalite", deadline=None, derandomize=True, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("kafkalite")


@pytest.fixture(autouse=True)
def _the_collector_calls_nobody() -> None:
    """Hypothesis has itself called, to measure. An interruption that comes in such a call is told, and forgotten."""
    gc.callbacks.clear()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless browser of the system's.

    It ends with its module: as long as it is there Playwright's event loop runs in this thread, and no other may.
    """
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - what runs without a browser needs no playwright

    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.fail(f"this test needs a browser, one of {', '.join(BROWSERS)}; leave it out with -m 'not browser'")
    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield running
        running.close()
