"""A real browser: Chromium, or Chrome."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

from wedsync_cli.tools import PACKAGES

QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking")


@contextmanager
def browsing() -> Iterator[Browser]:
    """Runs an event loop in the caller's thread; skips the test where there is no browser."""
    path = next(filter(None, map(shutil.which, PACKAGES["chromium"])), None)
    if path is None:
        pytest.skip("no Chromium here; ./wedsync tools installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()
