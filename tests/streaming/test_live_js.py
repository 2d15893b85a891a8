"""The pages' stream client in a real browser."""

import secrets
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Page

from streaming import services
from tests import ports
from tests.browser import browsing
from tests.streaming.conftest import update
from tests.streaming.server import start, wait_for
from tests.valkey import Valkey

LIVE_JS = Path(__file__).parents[2] / "streaming/static/streaming/live.js"
SCRIPT = """
import { follow } from "/live.js";
Object.assign(window, { finals: [], states: [] });
follow(TOPIC, {
  onUpdate: (data) => data.final && finals.push(data.seq),
  onEnd: (verdict) => { window.ended = verdict; },
  onState: (state) => states.push(state),
});
"""

pytestmark = pytest.mark.browser


class Site:
    """A server that can go away and come back on its port, and a topic on it."""

    def __init__(self, valkey: Valkey, data: Path) -> None:
        self.topic = secrets.token_hex(4)
        self.port = ports.keep()
        self._valkey, self._data = valkey, data
        # The browser's driver runs an event loop in the test's own thread.
        self._worker = ThreadPoolExecutor(max_workers=1)
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._process = start(self.port, self._valkey, self._data)
        wait_for(self.port, self._process)

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.communicate(timeout=20)
            self._process = None

    def open(self) -> None:
        self._worker.submit(services.open_topic, topic=self.topic).result()

    def publish(self, *seqs: int) -> None:
        for seq in seqs:
            services.publish(topic=self.topic, update=update(seq))

    def close(self) -> None:
        services.close_topic(topic=self.topic, verdict={"outcome": "passed"})


@pytest.fixture
def site(valkey: Valkey, data: Path) -> Iterator[Site]:
    site = Site(valkey, data)
    try:
        site.start()
        site.open()
        yield site
    finally:
        site.stop()


@pytest.fixture
def page() -> Iterator[Page]:
    with browsing() as browser:
        yield browser.new_page()


def visit(page: Page, site: Site) -> None:
    """Any page of the server will do; a page that is made up is no neighbour to a browser."""
    page.route("**/live.js", lambda route: route.fulfill(path=LIVE_JS))
    page.goto(f"http://localhost:{site.port}/api/load-testing/stream/none")
    page.add_script_tag(type="module", content=SCRIPT.replace("TOPIC", f'"{site.topic}"'))
    page.wait_for_function("window.finals")


def test_a_page_that_loses_its_server_misses_nothing(page: Page, site: Site) -> None:
    site.publish(1, 2)
    visit(page, site)
    page.wait_for_function("finals.length === 2")
    site.stop()
    page.wait_for_function("states.includes('reconnecting')")
    site.publish(3, 4)
    site.start()
    page.wait_for_function("finals.length === 4")
    site.publish(5)
    site.close()
    page.wait_for_function("window.ended")
    assert page.evaluate("finals") == [1, 2, 3, 4, 5]
    assert page.evaluate("ended") == {"outcome": "passed"}
    assert page.evaluate("states") == ["live", "reconnecting", "live", "ended"]


def test_where_sockets_do_not_get_through_events_do(page: Page, site: Site) -> None:
    page.add_init_script("""
        window.WebSocket = class {
          constructor() { setTimeout(() => this.onclose?.({ code: 1006 })); }
          close() {}
        };
    """)
    site.publish(1)
    visit(page, site)
    page.wait_for_function("finals.length === 1")
    site.publish(2)
    site.close()
    page.wait_for_function("window.ended")
    assert page.evaluate("finals") == [1, 2]
