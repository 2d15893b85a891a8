"""Holds and attestations over the API: a coordinator's "do not test" and "that is all there is"."""

from collections.abc import Mapping
from contextlib import nullcontext
from datetime import datetime
from functools import partial
from typing import Any

from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response

import clock
from calendar_guard import declaring
from calendar_guard.api.view import (
    GuardView,
    asked,
    each,
    flag,
    instant,
    name_of,
    objects,
    only,
    stopped,
    text,
    told,
)
from calendar_guard.lock import taken_back
from calendar_guard.models import Attestation, Hold

VIEW, ADD, CHANGE = ((f"calendar_guard.{verb}_hold",) for verb in ("view", "add", "change"))
LONGEST_REASON, MOST_PLACED, MOST_LISTED = 200, 100, 1000


class HoldsView(GuardView):
    needs = {"GET": VIEW, "POST": ADD}

    def get(self, request: Request) -> Response:
        """Those in force and to come; `?all=1` also the latest that were lifted or are over."""
        now, rows = clock.now(), Hold.objects.order_by("-starts_at", "-pk")
        with told():
            only(request.query_params, ("all",))
            if not asked(request, "all", flag, False):
                rows = rows.filter(lifted_at=None, ends_at__gt=now)
        return Response({"holds": [_words(hold, now) for hold in rows[:MOST_LISTED]]})

    def post(self, request: Request) -> Response:
        """One, or all or none of a list. It begins now where nothing else is said."""
        items, many = objects(request.data, most=MOST_PLACED), isinstance(request.data, list)
        now, by = clock.now(), name_of(request)
        with told(many=many):
            only(request.query_params, ("preview",))
            is_preview = asked(request, "preview", flag, False)
            holds = each(items, partial(_read, by=by, now=now))
            with taken_back() if is_preview else nullcontext():
                ended = declaring.write_holds(save=holds, by=by, now=now)
        if is_preview:
            return Response({"preview": True, "would_stop": stopped(ended)})
        words = [_words(hold, now) for hold in holds]
        answer = {"holds": words} if many else words[0]
        return Response(answer | {"stopped": stopped(ended)}, status.HTTP_201_CREATED)


class HoldView(GuardView):
    needs = {"GET": VIEW, "DELETE": CHANGE}

    def get(self, request: Request, hold_id: int) -> Response:
        return Response(_words(_find(hold_id), clock.now()))

    def delete(self, request: Request, hold_id: int) -> Response:
        """Lifts it; the hold stays to be read. Lifting it again changes nothing."""
        now = clock.now()
        with told():
            only(request.query_params)
        declaring.lift_hold(hold_id=_find(hold_id).pk, by=name_of(request), now=now)
        return Response(_words(_find(hold_id), now))


class AttestationsView(GuardView):
    needs = {
        "GET": ("calendar_guard.view_attestation",),
        "POST": ("calendar_guard.attest_calendar",),
    }

    def get(self, request: Request) -> Response:
        latest = Attestation.objects.order_by("-at", "-pk")[:MOST_LISTED]
        return Response({"attestations": [_attestation(row) for row in latest]})

    def post(self, request: Request) -> Response:
        if not isinstance(request.data, dict):
            raise exceptions.ParseError('Send a JSON object: {"until": ..., "why": ...}.')
        words, now = request.data, clock.now()
        with told():
            only(words, ("until", "why"))
            until = instant(words.get("until", ""), "until")
            why = text(words, "why", LONGEST_REASON)
            made = declaring.attest(until=until, why=why, by=name_of(request), now=now)
        return Response(_attestation(Attestation.objects.get(pk=made)), status.HTTP_201_CREATED)


def _read(words: Mapping[str, Any], *, by: str, now: datetime) -> Hold:
    only(words, ("reason", "starts_at", "ends_at"))
    starts_at = instant(words["starts_at"], "starts_at") if "starts_at" in words else now
    ends_at = instant(words.get("ends_at", ""), "ends_at")
    reason = text(words, "reason", LONGEST_REASON)
    declaring.check_hold(reason=reason, starts_at=starts_at, ends_at=ends_at, now=now)
    return Hold(reason=reason, starts_at=starts_at, ends_at=ends_at, created_by=by, created_at=now)


def _find(hold_id: int) -> Hold:
    hold = Hold.objects.filter(pk=hold_id).first()
    if hold is None:
        raise exceptions.NotFound(f"There is no hold {hold_id}.")
    return hold


def _words(hold: Hold, now: datetime) -> dict[str, Any]:
    return {
        "id": hold.pk,
        "reason": hold.reason,
        "starts_at": hold.starts_at.isoformat(),
        "ends_at": hold.ends_at.isoformat(),
        "state": hold.state(now),
        "created_by": hold.created_by,
        "created_at": hold.created_at.isoformat(),
        "lifted_by": hold.lifted_by,
        "lifted_at": hold.lifted_at and hold.lifted_at.isoformat(),
    }


def _attestation(row: Attestation) -> dict[str, Any]:
    return {
        "id": row.pk,
        "until": row.until.isoformat(),
        "why": row.why,
        "by": row.by,
        "at": row.at.isoformat(),
    }
