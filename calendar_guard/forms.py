"""What a coordinator types: local times in, instants stored; and what is refused, in words."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from typing import Any

from django import forms

import clock
from calendar_guard import lasting, reading, writing, zones
from calendar_guard.models import FIRST, LAST, Change, Wedding, validate_zone


class LocalTimeWidget(forms.SplitDateTimeWidget):
    """Without the admin's "Today" and "Now", which go by the browser's clock or by UTC."""

    def __init__(self, where: str) -> None:
        super().__init__(
            date_attrs={"type": "date", "aria-label": f"Date {where}"},
            date_format="%Y-%m-%d",
            time_attrs={"type": "time", "aria-label": f"Time {where}"},
            time_format="%H:%M",
        )

    def decompress(self, value: datetime | str | None) -> Any:
        """A day alone, as an address names it, leaves the time open."""
        return [value, None] if isinstance(value, str) else super().decompress(value)


class LocalTimeField(forms.SplitDateTimeField):
    """A time without an offset: what the clock on the wall shows, at the venue or at home."""

    def __init__(self, *, where: str, **kwargs: Any) -> None:
        super().__init__(widget=LocalTimeWidget(where), **kwargs)

    def compress(self, data_list: tuple[date, time] | None) -> datetime | None:
        if not data_list:
            return None
        if not FIRST.year < data_list[0].year < LAST.year - 1:
            raise forms.ValidationError(
                f"Write a year between {FIRST.year + 1} and {LAST.year - 2}."
            )
        return datetime.combine(*data_list)


class HomeTimeField(LocalTimeField):
    """An instant, typed and shown by the clock of the house's own zone."""

    def __init__(self, *, starts: bool, **kwargs: Any) -> None:
        self.read = zones.earliest if starts else zones.latest
        super().__init__(where="in the home zone", **kwargs)

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, datetime) or value.tzinfo is None:
            return value
        home = zones.find(reading.policy().home_zone)
        return value.astimezone(home).replace(tzinfo=None, second=0, microsecond=0)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)

    def compress(self, data_list: tuple[date, time] | None) -> datetime | None:
        local, home = super().compress(data_list), reading.policy().home_zone
        if local and (refusal := zones.refuse_gap(local, home)):
            raise forms.ValidationError(refusal)
        return local and self.read(local, home)


class ReturningForm(forms.ModelForm):  # type: ignore[type-arg]
    """Who presses "Back" on a question finds the form as it was typed, and nothing is saved."""

    def is_valid(self) -> bool:
        return "_back" not in self.data and super().is_valid()


class WeddingForm(ReturningForm):
    starts_local = LocalTimeField(
        where="at the venue", label="Start", help_text="Local time at the venue."
    )
    ends_local = LocalTimeField(
        where="at the venue", label="End", help_text="Local time at the venue."
    )
    # The latest change of the wedding that whoever types has seen.
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Wedding
        fields = ["title", "venue", "zone", "setup", "teardown", "status", "guests", "notes"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["seen"] = _latest_change(self.instance)
            for name, wall in (("starts_local", "wall_start"), ("ends_local", "wall_end")):
                local = datetime.fromisoformat(getattr(self.instance, wall))
                self.initial[name] = local.replace(second=0)

    def clean_notes(self) -> str:
        """As files and the API keep them: browsers send both signs of a line's end."""
        notes: str = self.cleaned_data["notes"]
        return notes.replace("\r\n", "\n")

    def clean_zone(self) -> str:
        """Before `clean` reads local times in it; the model's own validators run after."""
        zone: str = self.cleaned_data["zone"]
        validate_zone(zone)
        return zone

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        zone, starts, ends = (cleaned.get(f) for f in ("zone", "starts_local", "ends_local"))
        if zone and starts and ends:
            # A time nobody touched keeps its instant, also where its local reading is ambiguous.
            if self._moved("starts_local"):
                self._check_gap("starts_local", starts, zone)
                self.instance.starts_at = zones.earliest(starts, zone)
            if self._moved("ends_local"):
                self._check_gap("ends_local", ends, zone)
                self.instance.ends_at = zones.latest(ends, zone)
            if refusal := lasting.refuse(self.instance.starts_at, self.instance.ends_at, zone):
                self.add_error("ends_local", refusal)
            self._check_status(cleaned)
        self._check_seen(cleaned.get("seen"))
        return cleaned

    def _check_gap(self, name: str, local: datetime, zone: str) -> None:
        if refusal := zones.refuse_gap(local, zone):
            self.add_error(name, refusal)

    def _check_status(self, cleaned: dict[str, Any]) -> None:
        if {"status", "setup"} <= cleaned.keys():
            self.instance.status, self.instance.setup = cleaned["status"], cleaned["setup"]
            known = Wedding.objects.filter(pk=self.instance.pk).first()
            with refuse(self):
                writing.check_status(self.instance, known, clock.now())

    def _check_seen(self, seen: int | None) -> None:
        """Nobody overwrites what they have not seen, a "still going" least of all."""
        if not self.instance.pk or seen is None or seen == _latest_change(self.instance):
            return
        change = Change.objects.filter(wedding=self.instance).latest("at", "pk")
        self.add_error(
            None,
            f"{change.by} changed this wedding at {zones.spoken(change.at, self.instance.zone)},"
            " while you were typing. Nothing of yours is saved: open it anew and look first.",
        )

    def _moved(self, name: str) -> bool:
        return not self.instance.pk or not {name, "zone"}.isdisjoint(self.changed_data)


@contextmanager
def refuse(form: forms.BaseForm) -> Iterator[None]:
    """What a write finds wrong, said beside the field that is wrong."""
    try:
        yield
    except writing.Invalid as wrong:
        form.add_error(wrong.field, str(wrong))


def _latest_change(wedding: Wedding) -> int:
    newest = Change.objects.filter(wedding=wedding).order_by("-pk")
    return newest.values_list("pk", flat=True).first() or 0
