"""What coordinators declare beside the weddings: holds, that the calendar is complete, its feeds.

Each is a calendar write like a wedding's: in its turn, in the audit log, stopping what it forbids.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db.models import F

from calendar_guard.lock import calendar_lock
from calendar_guard.models import Attestation, Feed, Hold
from calendar_guard.models.feeds import LONGEST_ATTESTATION
from calendar_guard.models.holds import LONGEST_HOLD
from calendar_guard.permits import PermitWord
from calendar_guard.writing import Invalid, written

_READ = (
    "url",
    "problem",
    "etag",
    "last_modified",
    "good_at",
    "known_until",
    "broken_at",
    "accepted_digest",
    "refused_digest",
)


def place_hold(
    *, reason: str, starts_at: datetime, ends_at: datetime, by: str, now: datetime
) -> tuple[int, list[PermitWord]]:
    """Do not test, for a span; its id, and the tests that it stopped. Raises Invalid."""
    hold = Hold(reason=reason, starts_at=starts_at, ends_at=ends_at, created_by=by, created_at=now)
    stopped = write_holds(save=[hold], by=by, now=now)
    return hold.pk, stopped


def write_holds(*, save: Sequence[Hold], by: str, now: datetime) -> list[PermitWord]:
    """All or none, as one write; the tests that this stopped. Raises Invalid."""
    for hold in save:
        check_hold(reason=hold.reason, starts_at=hold.starts_at, ends_at=hold.ends_at, now=now)
    with calendar_lock():
        for hold in save:
            hold.save()
        saved = [{"id": hold.pk, "from": hold.starts_at, "until": hold.ends_at} for hold in save]
        if len(saved) == 1:
            return written(f"hold {saved[0]['id']}", saved[0], by, now)
        return written("holds", {"saved": saved}, by, now)


def check_hold(*, reason: str, starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    """Raises Invalid."""
    if not reason.strip():
        raise Invalid("reason", "Say why nobody should test, in a few words.")
    if ends_at <= starts_at:
        raise Invalid("ends_at", "The hold would end before it starts.")
    if ends_at <= now:
        raise Invalid("ends_at", "The hold lies wholly in the past, so it would hold nothing.")
    if ends_at - starts_at > LONGEST_HOLD:
        raise Invalid("ends_at", f"A hold lasts {LONGEST_HOLD.days} days at most; renew it then.")


def lift_hold(*, hold_id: int, by: str, now: datetime) -> bool:
    """End a hold early; False when it was lifted before or there is none."""
    return lift_holds(ids=[hold_id], by=by, now=now) == 1


def lift_holds(*, ids: Collection[int], by: str, now: datetime) -> int:
    """End holds early, as one write; how many there were that nobody had lifted."""
    with calendar_lock():
        standing = Hold.objects.filter(pk__in=ids, lifted_at=None)
        lifted = sorted(standing.values_list("pk", flat=True))
        if not lifted:
            return 0
        standing.update(lifted_at=now, lifted_by=by)
        if len(lifted) == 1:
            written(f"hold {lifted[0]}", {"id": lifted[0], "lifted": True}, by, now)
        else:
            written("holds", {"lifted": lifted}, by, now)
        return len(lifted)


def attest(*, until: datetime, why: str, by: str, now: datetime) -> int:
    """A coordinator's word that the calendar is complete until then. Raises Invalid."""
    check_attestation(until=until, why=why, now=now)
    with calendar_lock():
        attestation = Attestation.objects.create(until=until, by=by, at=now, why=why)
        written(f"attestation {attestation.pk}", {"until": until}, by, now)
        return attestation.pk


def check_attestation(*, until: datetime, why: str, now: datetime) -> None:
    """Raises Invalid."""
    if not now < until <= now + LONGEST_ATTESTATION:
        hours = LONGEST_ATTESTATION // timedelta(hours=1)
        raise Invalid("until", f"Confirm for at most {hours} hours from now, not for the past.")
    if not why.strip():
        raise Invalid("why", "Say how you know that the calendar is complete.")


def save_feed(*, feed: Feed, address: str, by: str, now: datetime) -> None:
    """Add a feed, or save what people set of it; without an address it keeps the one it has.

    Another address is another calendar: nothing is known of it until it is read. In another zone
    its weddings are at other times, so nobody knows those either.
    """
    with calendar_lock():
        rezoned = Feed.objects.filter(pk=feed.pk).exclude(zone=feed.zone).exists()
        if rezoned:
            feed.good_at = feed.known_until = None
        if moved := address not in {"", feed.url}:
            feed.url, feed.problem = address, ""
            feed.good_at = feed.known_until = feed.broken_at = None
            feed.accepted_digest = feed.refused_digest = ""
        if not feed.pk:
            feed.created_at = now
        feed.due_at = now
        # Unchanged content reads otherwise in another zone, so it is asked for again.
        feed.etag = feed.last_modified = ""
        fields = ["name", "zone", "is_active", "due_at", "etag", "last_modified"]
        fields += _READ if moved else ["good_at", "known_until"] if rezoned else []
        feed.save(update_fields=fields if feed.pk else None)
        facts = {"in_use": feed.is_active, "zone": feed.zone, "another_address": moved}
        written(f"feed {feed.pk}", facts, by, now)


def remove_feed(*, feed_id: int, by: str, now: datetime) -> None:
    """Its weddings stay: only people say that one does not take place."""
    with calendar_lock():
        Feed.objects.filter(pk=feed_id).delete()
        written(f"feed {feed_id}", {"removed": True}, by, now)


def accept_feed(*, feed_id: int, by: str, now: datetime) -> bool:
    """A person's word that the content last refused is right; False where nothing was refused."""
    with calendar_lock():
        refused = Feed.objects.filter(pk=feed_id).exclude(refused_digest="")
        digests = list(refused.values_list("refused_digest", flat=True))
        if not refused.update(accepted_digest=F("refused_digest"), due_at=now):
            return False
        written(f"feed {feed_id}", {"accepted": digests[0]}, by, now)
        return True
