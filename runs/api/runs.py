"""/api/load-testing/runs: start, dry run, list, read, stop, stop all, metrics, compare, notes."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

import clock
from runs import services
from runs.api import words
from runs.api.view import RoomView, asked, name_of, number, only, person, plain, row_id, told, wrong

LONGEST_KEY, PAGE, LONGEST_PAGE = 200, 100, 500
FILTERS = {"state": plain, "tool": plain, "tag": plain, "text": plain, "plan": row_id}


class RunsView(RoomView):
    needs = {"GET": "runs.view_run", "POST": "runs.add_run"}
    largest_body = words.LONGEST_BODY

    def get(self, request: Request) -> Response:
        """The newest first; `next` is the address of the following page, null after the last."""
        only(request, (*FILTERS, "limit", "before"))
        limit = asked(request, "limit", number(1, LONGEST_PAGE), PAGE)
        filters = {name: asked(request, name, read, "") for name, read in FILTERS.items()}
        _one_of("state", filters["state"], services.STATES)
        _one_of("tool", filters["tool"], services.tool_names())
        before = asked(request, "before", row_id, "")
        found = services.list_runs(limit=limit + 1, before=before, **filters)
        page = found[:limit]
        following = None
        if len(found) > limit:
            given = {name: value for name, value in filters.items() if value}
            query = urlencode(given | {"limit": limit, "before": page[-1].id})
            following = f"{request.path}?{query}"
        return Response({"runs": [run.as_json() for run in page], "next": following})

    def post(self, request: Request) -> Response:
        only(request)  # `?dry_run=true` would be a test that was meant to send nothing
        found = words.read(words.StartWords, request)
        key, is_dry = _key(request), found.pop("dry_run", False)
        plan_id = found.pop("plan", None)
        if plan_id is None:
            wanted = services.Request(**found)
        else:
            wanted = replace(words.plan_named(plan_id), **found)
        by, now = person(request), clock.now()
        with told():
            if is_dry:
                run = services.dry_run(by=by, request=wanted, now=now)
            else:
                run = services.start(by=by, request=wanted, now=now, key=key, plan_id=plan_id)
        location = {"Location": run.links["self"]}
        return Response(run.as_json(), status.HTTP_202_ACCEPTED, headers=location)


class RunView(RoomView):
    needs = {"GET": "runs.view_run", "PATCH": "runs.add_run"}

    def get(self, request: Request, run_id: str) -> Response:
        with told():
            return Response(services.get_run(run_id=run_id).as_json())

    def patch(self, request: Request, run_id: str) -> Response:
        found = words.read(words.NoteWords, request)
        with told():
            run = services.annotate(run_id=run_id, by=name_of(request), now=clock.now(), **found)
        return Response(run.as_json())


class MovesView(RoomView):
    def get(self, request: Request, run_id: str) -> Response:
        with told():
            return Response({"moves": [_move(one) for one in services.list_moves(run_id=run_id)]})


class MetricsView(RoomView):
    def get(self, request: Request, run_id: str) -> Response:
        only(request, ("width",))
        width = asked(request, "width", number(1, 60), 1)
        with told():
            return Response({"points": services.metrics(run_id=run_id, width=width)})


class StopView(RoomView):
    needs = {"POST": "runs.stop_run"}

    def post(self, request: Request, run_id: str) -> Response:
        found = words.read(words.StopWords, request)
        with told():
            run = services.stop(run_id=run_id, by=name_of(request), now=clock.now(), **found)
        return Response(run.as_json(), status.HTTP_202_ACCEPTED)


class StopAllView(RoomView):
    """Whatever runs or waits for its turn, of one site if named: `{"site": "127.0.0.1:9000"}`."""

    needs = {"POST": "runs.stop_run"}

    def post(self, request: Request) -> Response:
        found = {"why": "everything was stopped"} | words.read(words.StopAllWords, request)
        runs = services.stop_all(by=name_of(request), now=clock.now(), **found)
        return Response({"runs": [run.as_json() for run in runs]}, status.HTTP_202_ACCEPTED)


class CompareView(RoomView):
    """`?a=3&b=7`: the second against the first."""

    def get(self, request: Request) -> Response:
        only(request, ("a", "b"))
        ids = [asked(request, name, row_id, "") for name in ("a", "b")]
        if not all(ids):
            raise wrong("a" if not ids[0] else "b", "Name two runs: /runs/compare?a=3&b=7.")
        with told():
            return Response(services.compare(run_ids=ids).as_json())


def _one_of(name: str, text: str, choices: Iterable[str]) -> None:
    if text and text not in choices:
        raise wrong(name, f"There is no such {name}; choose {', '.join(choices)}.")


def _move(move: services.Move) -> dict[str, Any]:
    return {
        "at": move.at.isoformat(),
        "by": move.by,
        "from": move.of or None,
        "to": move.to,
        "why": move.why,
    }


def _key(request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key and (len(key) > LONGEST_KEY or not key.isprintable()):
        raise wrong("Idempotency-Key", f"A key has at most {LONGEST_KEY} characters, all visible.")
    return key
