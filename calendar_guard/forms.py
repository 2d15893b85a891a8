"""A wedding as its coordinator knows it: local times of the venue in, instants stored."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms

from calendar_guard import zones
from calendar_guard.models import FIRST, LAST, LONGEST_WEDDING, Wedding, validate_zone


class LocalTimeWidget(forms.SplitDateTimeWidget):
    """Without the admin's "Today" and "Now", which go by the browser's clock or by UTC."""

    def __init__(self) -> None:
        super().__init__(
            date_attrs={"type": "date", "aria-label": "Date at the venue"},
            date_format="%Y-%m-%d",
            time_attrs={"type": "time", "aria-label": "Time at the venue"},
            time_format="%H:%M",
        )


class LocalTimeField(forms.SplitDateTimeField):
    """A time without an offset: what the clock at the venue shows."""

    widget = LocalTimeWidget

    def compress(self, data_list: tuple[date, time] | None) -> datetime | None:
        if not data_list:
            return None
        if not FIRST.year < data_list[0].year < LAST.year - 1:
            raise forms.ValidationError(
                f"Write a year between {FIRST.year + 1} and {LAST.year - 2}."
            )
        return datetime.combine(*data_list)


class WeddingForm(forms.ModelForm):  # type: ignore[type-arg]
    starts_local = LocalTimeField(label="Start", help_text="Local time at the venue.")
    ends_local = LocalTimeField(label="End", help_text="Local time at the venue.")

    class Meta:
        model = Wedding
        fields = [
            "title",
            "venue",
            "zone",
            "setup",
            "teardown",
            "status",
            "guests",
            "notes",
            "coordinators",
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            zone = ZoneInfo(self.instance.zone)
            for name, at in (("starts_local", "starts_at"), ("ends_local", "ends_at")):
                local = getattr(self.instance, at).astimezone(zone)
                self.initial[name] = local.replace(tzinfo=None, second=0, microsecond=0)

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
                self.instance.starts_at = zones.earliest(starts, zone)
            if self._moved("ends_local"):
                self.instance.ends_at = zones.latest(ends, zone)
            if refusal := _refuse(self.instance.ends_at - self.instance.starts_at):
                self.add_error("ends_local", refusal)
        return cleaned

    def _moved(self, name: str) -> bool:
        return not self.instance.pk or not {name, "zone"}.isdisjoint(self.changed_data)


def _refuse(lasts: timedelta) -> str:
    if lasts <= timedelta(0):
        return "The wedding would end before it starts."
    days = -(lasts // timedelta(days=-1))
    longest = LONGEST_WEDDING.days
    too_long = f"The wedding lasts {days} days, and the longest is {longest}; is the year right?"
    return too_long if lasts > LONGEST_WEDDING else ""
