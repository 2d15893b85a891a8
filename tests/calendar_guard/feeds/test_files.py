"""Feeds that are files on this machine."""

import os
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from calendar_guard import fetching
from calendar_guard.models import Wedding
from tests.calendar_guard.examples import HOUR
from tests.calendar_guard.feeds.published import (
    NOW,
    calendar,
    make_feed,
    several,
    sync,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    folder = tmp_path / "calendars"
    folder.mkdir()
    settings.WEDSYNC_FEED_FOLDERS = [str(folder)]
    return folder


def test_a_file_in_a_listed_folder_is_read_again_when_it_changes(folder: Path) -> None:
    file = folder / "our weddings.ics"
    file.write_text(calendar(*several(2)))
    feed = make_feed(f"file://{folder}/our%20weddings.ics")
    assert sync(feed).saved == 2
    assert sync(feed, NOW + HOUR).outcome == "fresh"
    file.write_text(calendar(*several(3)))
    assert sync(feed, NOW + HOUR).saved == 1


def test_a_file_elsewhere_is_refused_however_it_is_named(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.ics"
    outside.write_text(calendar(*several(2)))
    (folder / "link.ics").symlink_to(outside)
    os.mkfifo(folder / "pipe.ics")
    for number, (path, words) in enumerate(
        [
            (outside, "none of the folders"),
            (folder / ".." / "outside.ics", "none of the folders"),
            (folder / "%2e%2e" / "outside.ics", "none of the folders"),
            (folder / "link.ics", "none of the folders"),
            (folder / "pipe.ics", "names no file"),
            (folder, "names no file"),
            (folder / "missing.ics", "not there"),
            (folder / "a%00b", "not there"),
        ]
    ):
        word = sync(make_feed(f"file://{path}", name=str(number)))
        assert words in word.problem
    assert "names no host" in sync(make_feed(f"file://host{folder}/x", name="host")).problem
    assert not Wedding.objects.exists()


def test_a_file_that_is_too_large_is_not_read_whole(folder: Path) -> None:
    with (folder / "big.ics").open("wb") as file:
        file.truncate(fetching.LIMITS.body_bytes + 1)
    assert "larger than" in sync(make_feed(f"file://{folder}/big.ics")).problem
