"""Weddings over the API, one or a list: read, put, changed, removed, gone on with, completed.

Whoever writes is told which tests that stopped; `?preview=1` tells it and writes nothing.
"""

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlencode

from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response

import clock
from calendar_guard import active, zones
from calendar_guard.active import ActiveWedding
from calendar_guard.api.view import (
    LONGEST_LIST,
    GuardView,
    asked,
    each,
    flag,
    instant,
    name_of,
    number,
    objects,
    only,
    stopped,
    told,
)
from calendar_guard.weddings import keeping
from calendar_guard.weddings.drafts import Written
from calendar_guard.weddings.facts import read_status, read_wedding

VIEW, ADD, CHANGE, DELETE = (
    (f"calendar_guard.{verb}_wedding",) for verb in ("view", "add", "change", "delete")
)
PAGE, FURTHEST = 100, 10_000_000
FILTERS = ("from", "to", "status", "source", "coordinator", "limit", "offset")


class WeddingsView(GuardView):
    needs = {"GET": VIEW, "POST": ADD}

    def get(self, request: Request) -> Response:
        with told():
            only(request.query_params, FILTERS)
            limit = asked(request, "limit", number(1, LONGEST_LIST), PAGE)
            offset = asked(request, "offset", number(0, FURTHEST), 0)
            weddings, count = keeping.list_kept(
                start=asked(request, "from", lambda text: instant(text, "from"), None),
                end=asked(request, "to", lambda text: instant(text, "to"), None),
                status=asked(request, "status", read_status, None),
                source=asked(request, "source", str, None),
                coordinator=asked(request, "coordinator", str, ""),
                limit=limit,
                offset=offset,
            )
        more = offset + limit < count
        following = _following(request, offset + limit) if more else None
        return Response({"weddings": weddings, "count": count, "next": following})

    def post(self, request: Request) -> Response:
        """One, or all or none of a list. A `uid` that is known changes its wedding."""
        items, many = objects(request.data), isinstance(request.data, list)
        if any(item.get("uid") for item in items) and not request.user.has_perms(CHANGE):
            raise exceptions.PermissionDenied(
                "A wedding with a uid may be one that is there already, and you may not change it."
            )
        with told(many=many):
            facts = each(items, read_wedding)
            written = _write(request, partial(keeping.put_weddings, facts=facts))
        if not written.ids:
            return _previewed(written)
        created = status.HTTP_201_CREATED if written.new else status.HTTP_200_OK
        if many:
            words = keeping.read_written(written)
            return Response({"weddings": words, **_counts(written)}, created)
        with told():
            kept = keeping.read_kept(wedding_id=written.ids[0])
        link = f"{request.path}/{written.ids[0]}"
        return Response(kept | _stopped(written), created, headers={"Location": link})


class WeddingView(GuardView):
    needs = {"GET": VIEW, "PUT": CHANGE, "PATCH": CHANGE, "DELETE": DELETE}

    def get(self, request: Request, wedding_id: int) -> Response:
        with told():
            return Response(keeping.read_kept(wedding_id=wedding_id))

    def put(self, request: Request, wedding_id: int) -> Response:
        return self._change(request, wedding_id, whole=True)

    def patch(self, request: Request, wedding_id: int) -> Response:
        return self._change(request, wedding_id, whole=False)

    def delete(self, request: Request, wedding_id: int) -> Response:
        with told():
            only(request.query_params)
            ended = keeping.remove_wedding(
                wedding_id=wedding_id, by=name_of(request), now=clock.now()
            )
        return Response({"id": wedding_id, "stopped": stopped(ended)})

    def _change(self, request: Request, wedding_id: int, *, whole: bool) -> Response:
        if not isinstance(request.data, dict):
            raise exceptions.ParseError('Send one JSON object: {"title": ..., "zone": ...}.')
        change = partial(
            keeping.change_wedding, wedding_id=wedding_id, words=request.data, whole=whole
        )
        with told():
            written = _write(request, change)
            if not written.ids:
                return _previewed(written)
            return Response(keeping.read_kept(wedding_id=wedding_id) | _stopped(written))


class PressView(GuardView):
    """A button of the venue's: "still going" or "completed"."""

    needs = {"POST": CHANGE}
    press: Callable[..., Any]

    def post(self, request: Request, wedding_id: int) -> Response:
        with told():
            only(request.query_params)
            ended = type(self).press(wedding_id=wedding_id, by=name_of(request), now=clock.now())
            words = keeping.read_kept(wedding_id=wedding_id)
        return Response(words | {"stopped": stopped(ended)})


class StillGoingView(PressView):
    press = staticmethod(keeping.still_going)


class CompleteView(PressView):
    press = staticmethod(keeping.complete)


class ActiveView(GuardView):
    """Whose day it is right now, and whom to call: for those who keep the weddings safe."""

    needs = {"GET": VIEW}

    def get(self, request: Request) -> Response:
        weddings = active.active_weddings(now=clock.now())
        return Response({"weddings": [_active(wedding) for wedding in weddings]})


def _active(wedding: ActiveWedding) -> dict[str, Any]:
    zone, span = zones.find(wedding.zone), wedding.protected
    return {
        "id": wedding.id,
        "title": wedding.title,
        "venue": wedding.venue,
        "zone": wedding.zone,
        "status": wedding.status,
        "starts_at": zones.local_text(wedding.starts_at, zone),
        "ends_at": zones.local_text(wedding.ends_at, zone),
        "protected": {"from": span.start.isoformat(), "until": span.end.isoformat()},
        "guests": wedding.guests,
        "coordinators": [
            {
                "name": person.name,
                "email": person.email,
                "phone": person.phone,
                "slack_id": person.slack_id,
                "language": person.language,
            }
            for person in wedding.coordinators
        ],
    }


def _write(request: Request, keep: Callable[..., Written]) -> Written:
    """By whom, when, and whether they may say something new of a coordinator."""
    only(request.query_params, ("preview",))
    write = partial(
        keep,
        by=name_of(request),
        now=clock.now(),
        may_change_people=request.user.has_perm("calendar_guard.change_coordinator"),
    )
    is_preview = asked(request, "preview", flag, False)
    return keeping.preview_of(write) if is_preview else write()


def _previewed(written: Written) -> Response:
    words = _counts(written)
    return Response({"preview": True, "would_stop": words.pop("stopped"), **words})


def _counts(written: Written) -> dict[str, Any]:
    counts = {"new": written.new, "changed": written.changed, "unchanged": written.unchanged}
    return counts | _stopped(written)


def _stopped(written: Written) -> dict[str, Any]:
    return {"stopped": stopped(written.stopped)}


def _following(request: Request, offset: int) -> str:
    query = request.query_params.dict() | {"offset": str(offset)}
    return f"{request.path}?{urlencode(query)}"
