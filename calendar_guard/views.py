from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from rest_framework.exceptions import ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

import clock
from calendar_guard import services
from clock import iso

Read = TypeVar("Read")


class MayAskTheGuard(BasePermission):
    message = "You may not ask the wedding calendar."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return bool(request.user and request.user.has_perm("calendar_guard.view_verdict"))


class WindowView(APIView):
    """May a run of `duration` start `at` (now, if left out)? Only a question: always 200."""

    permission_classes = [MayAskTheGuard]

    def get(self, request: Request) -> Response:
        now = clock.now()
        text = request.query_params.get("duration")
        if text is None:
            raise ValidationError(
                {"duration": "Say how long the test lasts: ?duration=PT30M for 30 minutes."}
            )
        duration = _read("duration", text, _duration)
        at = request.query_params.get("at")
        start = now if at is None else _read("at", at, iso.parse_instant)
        try:
            verdict = services.check(start=start, duration=duration, now=now)
        except ValueError as problem:
            raise ValidationError({"at": str(problem)}) from problem
        return Response(verdict.as_json())


def _read(name: str, text: str, parse: Callable[[str], Read]) -> Read:
    try:
        return parse(text)
    except ValueError as problem:
        raise ValidationError({name: str(problem)}) from problem


def _duration(text: str) -> timedelta:
    duration, horizon = iso.parse_duration(text), services.policy().horizon
    if duration <= timedelta(0):
        raise ValueError("A test that lasts no time needs no window; ask for PT1M or more.")
    if duration > horizon:
        raise ValueError(f"The calendar is judged {horizon.days} days ahead; ask for less.")
    return duration
