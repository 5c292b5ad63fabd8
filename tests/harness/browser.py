"""A Chromium that tests drive: real, without a window, and able to reach this machine alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver

SWITCHES = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    # A request to another host is still seen and counted, but goes nowhere.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


@contextmanager
def running_browser(
    requires: Callable[[str], str], profile: Path, *more: str, logs: dict[str, str] | None = None
) -> Iterator[webdriver.Chrome]:
    """A browser for the time of the context. ``more`` are switches, ``logs`` the levels of what it is to keep."""
    options = webdriver.ChromeOptions()
    options.binary_location = requires("chromium")
    for switch in (*SWITCHES, *more, f"--user-data-dir={profile}"):
        options.add_argument(switch)
    if logs:
        options.set_capability("goog:loggingPrefs", logs)
    driver = webdriver.Chrome(options, webdriver.ChromeService(requires("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()
