"""The REST API of runs: /api/load-testing/runs and /plans."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from rest_framework import exceptions, serializers, status
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

import clock
from clock.iso import format_duration, parse_duration
from runs import services
from runs.report import RunWord

LONGEST_KEY = 200


class Conflict(exceptions.APIException):
    """409 with more words than a sentence."""

    status_code = status.HTTP_409_CONFLICT

    def __init__(self, detail: str, code: str, **problem: Any) -> None:
        super().__init__(detail, code)
        self.problem = {"code": code, **problem}


class May(BasePermission):
    """Reading needs `runs.view_run`; each view names what changing needs."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.method in {"GET", "HEAD", "OPTIONS"}:
            return bool(request.user.has_perm("runs.view_run"))
        # A method that the view does not know gets its 405, whoever asks.
        changing = getattr(view, "changing", "runs.view_run")
        return bool(request.user.has_perm(changing))


class DurationField(serializers.Field):  # type: ignore[type-arg]
    def to_internal_value(self, data: Any) -> timedelta:
        try:
            return parse_duration(str(data))
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None

    def to_representation(self, value: timedelta) -> str:
        return format_duration(value)


class RequestSerializer(serializers.Serializer):  # type: ignore[type-arg]
    name = serializers.CharField(max_length=120)
    tool = serializers.CharField(max_length=20)
    script = serializers.CharField(max_length=1_000_000, trim_whitespace=False)
    target = serializers.CharField(max_length=500)
    duration = DurationField()
    users = serializers.IntegerField(
        min_value=1, max_value=100_000, required=False, allow_null=True
    )
    thresholds = serializers.ListField(
        child=serializers.CharField(max_length=200), required=False, max_length=50
    )

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, dict) else []
        if unknown:
            raise serializers.ValidationError(
                dict.fromkeys(
                    unknown, f"There is no such word; known are {', '.join(self.fields)}."
                )
            )
        return super().to_internal_value(data)


class RunsView(APIView):
    permission_classes = [May]
    changing = "runs.add_run"

    def get(self, request: Request) -> Response:
        asked = request.query_params
        runs = services.list_runs(state=asked.get("state", ""), tool=asked.get("tool", ""))
        return Response({"runs": [run.as_json() for run in runs]})

    def post(self, request: Request) -> Response:
        plan_id, wanted = _read(request.data)
        try:
            run = services.start(
                by=_person(request),
                request=wanted,
                now=clock.now(),
                key=_key(request),
                plan_id=plan_id,
            )
        except services.Invalid as error:
            raise serializers.ValidationError({error.field: [str(error)]}) from None
        except services.KeyReused as error:
            raise Conflict(str(error), "idempotency_key_reused") from None
        except services.RunRefused as refusal:
            raise _refused(refusal) from None
        return Response(
            run.as_json(), status.HTTP_202_ACCEPTED, headers={"Location": run.links["self"]}
        )


class RunView(APIView):
    permission_classes = [May]

    def get(self, request: Request, run_id: str) -> Response:
        return Response(_find(run_id).as_json())


class MetricsView(APIView):
    permission_classes = [May]

    def get(self, request: Request, run_id: str) -> Response:
        _find(run_id)
        return Response({"points": services.metrics(run_id=run_id)})


class StopView(APIView):
    permission_classes = [May]
    changing = "runs.stop_run"

    def post(self, request: Request, run_id: str) -> Response:
        _find(run_id)
        run = services.stop(run_id=run_id, by=_person(request).get_username(), now=clock.now())
        return Response(run.as_json(), status.HTTP_202_ACCEPTED)


class PlansView(APIView):
    permission_classes = [May]
    changing = "runs.add_plan"

    def get(self, request: Request) -> Response:
        return Response({"plans": [plan.as_json() for plan in services.list_plans()]})

    def post(self, request: Request) -> Response:
        _, wanted = _read(request.data)
        try:
            plan = services.add_plan(by=_person(request), request=wanted, now=clock.now())
        except services.Invalid as error:
            raise serializers.ValidationError({error.field: [str(error)]}) from None
        return Response(plan.as_json(), status.HTTP_201_CREATED)


def _key(request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key and len(key) > LONGEST_KEY:
        raise serializers.ValidationError(
            {"Idempotency-Key": [f"A key has at most {LONGEST_KEY} characters."]}
        )
    return key


def _read(data: Any) -> tuple[str | None, services.Request]:
    """A request is written out, or names a saved plan: `{"plan": "3"}`."""
    if isinstance(data, dict) and set(data) == {"plan"}:
        plan_id = str(data["plan"] or "")
        try:
            return plan_id, services.request_of_plan(plan_id=plan_id)
        except services.UnknownRun as error:
            raise serializers.ValidationError({"plan": [str(error)]}) from None
    if not isinstance(data, dict):
        raise exceptions.ParseError('Send a JSON object: {"name": ..., "tool": "k6", ...}.')
    words = RequestSerializer(data=data)
    words.is_valid(raise_exception=True)
    return None, services.Request(**words.validated_data)


def _find(run_id: str) -> RunWord:
    try:
        return services.get_run(run_id=run_id)
    except services.UnknownRun as error:
        raise exceptions.NotFound(str(error)) from None


def _refused(refusal: services.RunRefused) -> Conflict:
    verdict = refusal.verdict.as_json()
    return Conflict(
        verdict["reason"],
        "calendar_refused",
        title="The wedding calendar refuses this test",
        blockers=verdict["blockers"],
        next_safe_window=verdict["next_safe_window"],
        run=refusal.run.id,
        next="Start it again inside next_safe_window; no one can override a wedding."
        if verdict["next_safe_window"]
        else "No window is long enough; try a shorter test, or ask the coordinator.",
    )


def _person(request: Request) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - only people hold the permissions to change
    return request.user
