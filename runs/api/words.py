"""The bodies that are read: a word that is not known is named, never passed over."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from rest_framework import exceptions, serializers
from rest_framework.request import Request as Asked

from clock import iso
from runs import services
from runs.api.view import shown, wrong

LONGEST_BODY = 26_000_000  # what a script may bring along (16 MiB), as base64 in JSON
LONGEST_SCRIPT, LONGEST_CA, LONGEST_NOTES = 2 << 20, 200_000, 10_000


class ReadBy(serializers.Field):  # type: ignore[type-arg]
    """What `read` makes of a word; its ValueError is the sentence."""

    def __init__(self, read: Callable[[Any], Any], **words: Any) -> None:
        super().__init__(**words)
        self._read = read

    def to_internal_value(self, data: Any) -> Any:
        try:
            return self._read(data)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None


def _texts(data: Any) -> dict[str, str]:
    """An object of texts; `runs.belongings` and `runs.fencing.places` judge what they mean."""
    if not isinstance(data, dict) or not all(isinstance(text, str) for text in data.values()):
        raise ValueError('Write an object of texts: {"NAME": "value"}.')
    return data


def _duration(data: Any) -> timedelta:
    return iso.parse_duration(str(data)[:100])


def _instant(data: Any) -> datetime:
    return iso.parse_instant(str(data)[:100])


class Words(serializers.Serializer):  # type: ignore[type-arg]
    def to_internal_value(self, data: Any) -> Any:
        if unknown := sorted(set(data) - set(self.fields)):
            said = f"There is no such word; known are {', '.join(self.fields)}."
            raise serializers.ValidationError({shown(name): [said] for name in unknown[:20]})
        return super().to_internal_value(data)


class RequestWords(Words):
    name = serializers.CharField(max_length=120)
    tool = serializers.CharField(max_length=20)
    script = serializers.CharField(max_length=LONGEST_SCRIPT, trim_whitespace=False)
    target = serializers.CharField(max_length=500)
    duration = ReadBy(_duration)
    users = serializers.IntegerField(
        min_value=1, max_value=100_000, required=False, allow_null=True
    )
    shards = serializers.IntegerField(required=False)
    thresholds = serializers.ListField(
        child=serializers.CharField(max_length=200), required=False, max_length=50
    )
    files = ReadBy(_texts, required=False)
    variables = ReadBy(_texts, required=False)
    secrets = ReadBy(_texts, required=False)
    hosts = ReadBy(_texts, required=False)
    ca = serializers.CharField(max_length=LONGEST_CA, required=False, allow_blank=True)
    tags = ReadBy(services.read_tags, required=False)
    notes = serializers.CharField(max_length=LONGEST_NOTES, required=False, allow_blank=True)


class StartWords(RequestWords):
    """The words of a request, or a saved plan's id and what shall be different this time."""

    plan = serializers.CharField(max_length=20)
    dry_run = serializers.BooleanField(required=False)

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        if "plan" in self.initial_data:
            for field in fields.values():
                field.required = False
        else:
            fields["plan"].required = False
        return fields


class StopWords(Words):
    why = serializers.CharField(max_length=200, required=False)


class StopAllWords(StopWords):
    site = serializers.CharField(max_length=300, required=False)


class NoteWords(Words):
    tags = ReadBy(services.read_tags, required=False)
    notes = serializers.CharField(max_length=LONGEST_NOTES, required=False, allow_blank=True)


class BaselineWords(Words):
    run = serializers.CharField(max_length=20, allow_null=True)


class ScheduleWords(Words):
    plan = serializers.CharField(max_length=20)
    starts_at = ReadBy(_instant, required=False, allow_null=True)
    rule = serializers.CharField(max_length=500, required=False, allow_blank=True)
    zone = serializers.CharField(max_length=64, required=False)
    rolls = serializers.BooleanField(required=False)


def read(kind: type[Words], asked: Asked, *, partial: bool = False) -> dict[str, Any]:
    """The body's words, checked one by one."""
    data = asked.data
    if not isinstance(data, dict):
        raise exceptions.ParseError('Send a JSON object: {"word": ...}.')
    words = kind(data=data, partial=partial)
    words.is_valid(raise_exception=True)
    found: dict[str, Any] = dict(words.validated_data)
    return found


def plan_named(plan_id: str) -> services.Request:
    """A plan that a body names; unknown, it is a wrong word and no wrong address."""
    try:
        return services.request_of_plan(plan_id=plan_id)
    except services.UnknownRun as error:
        raise wrong("plan", str(error)) from None
