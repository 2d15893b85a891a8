from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser

from tests.browser import browsing
from tests.stories.people import logged_in
from tests.stories.serving import serving
from tests.stories.stack import Stack, running_stack

SATURDAY = "2026-06-13T14:00:00+02:00"
FRIDAY = "2026-10-23T10:00:00+02:00"


@pytest.fixture(scope="session")
def tuesday(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("tuesday")) as stack:
        yield stack


@pytest.fixture(scope="session")
def saturday(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("saturday"), SATURDAY) as stack:
        yield stack


@pytest.fixture(scope="session")
def october(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The Friday before the clocks go back, without a buffer; `home` may hold feeds."""
    home = tmp_path_factory.mktemp("october")
    with running_stack(
        home, FRIDAY, WEDSYNC_BUFFER="PT0S", WEDSYNC_FEED_FOLDERS=str(home)
    ) as stack:
        yield stack


@pytest.fixture(scope="session")
def keeper(october: Stack) -> Iterator[httpx.Client]:
    """A coordinator's session in October."""
    with logged_in(october, "coordinator") as client:
        yield client


@pytest.fixture(scope="session")
def guest_site() -> Iterator[str]:
    """The sample guest site on a loopback port of its own."""
    with serving("examples.guest_site:app") as (url,):
        yield url


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Gone after its module: its event loop would be in the way of other tests' own."""
    with browsing() as browser:
        yield browser
