"""Keeps the calendar true by itself: reads feeds when they are due, follows new zone data."""

import logging
import traceback
from contextlib import suppress
from datetime import timedelta

from celery import shared_task
from django.db import DatabaseError
from django.db.models import Q

import clock
from calendar_guard import feeds, writing
from calendar_guard.models import Feed
from calendar_guard.models.feeds import SKEW

log = logging.getLogger(__name__)
# Longer than a reading may take; afterwards another worker may try.
LEASE = timedelta(minutes=3)


@shared_task(name="calendar_guard.tick", ignore_result=True)
def tick() -> None:
    """By beat. Each due feed is read by whoever claims it first; no trouble keeps others unread."""
    now = clock.now()
    try:
        writing.follow_zone_data(now=now)
    except Exception as error:
        log.error("The new zone data could not be followed: %s", _kind_and_place(error))
    # None is ever due later than that, but by a clock that was set back since.
    is_due = Q(due_at__lte=now) | Q(due_at__gt=now + feeds.EVERY + SKEW)
    due = Feed.objects.filter(is_due, is_active=True)
    for feed_id in due.order_by("due_at").values_list("pk", flat=True):
        if due.filter(pk=feed_id).update(due_at=now + LEASE):
            _try_to_read(feed_id)


def _try_to_read(feed_id: int) -> None:
    try:
        read(feed_id)
    except Exception as error:
        log.error("feed %s could not be read: %s", feed_id, _kind_and_place(error))
        problem = "Reading it came to grief within WedSync; the worker's log says how."
        with suppress(DatabaseError):
            Feed.objects.filter(pk=feed_id).update(problem=problem)


def read(feed_id: int) -> feeds.SyncWord:
    """Read one feed now and say in the log what came of it."""
    word = feeds.sync(feed_id=feed_id, now=clock.now())
    if word.problem:
        log.warning("feed %s is %s: %s", feed_id, word.outcome, word.problem)
    elif word.outcome == feeds.WRITTEN:
        log.info("feed %s: %s saved, %s removed", feed_id, word.saved, word.removed)
    return word


def _kind_and_place(error: Exception) -> str:
    """Without the error's text: a database quotes the row it refused, and rows hold names."""
    place = "".join(traceback.format_tb(error.__traceback__))
    return f"{type(error).__qualname__}, at\n{place}"
