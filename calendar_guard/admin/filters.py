from datetime import datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

import clock
from calendar_guard import reading, zones
from calendar_guard.models import Wedding

SATURDAY = 5
# More would be no list to choose from; the search finds every venue.
MOST_VENUES = 40


class WhenFilter(admin.SimpleListFilter):
    """Days are those of the house's zone, whose city each choice names."""

    title = "when"
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        city = zones.city(reading.policy().home_zone)
        return [
            ("today", f"Today in {city}"),
            ("weekend", f"This weekend in {city}"),
            ("upcoming", "Upcoming or under way"),
            ("over", "Over"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Wedding]) -> QuerySet[Wedding]:
        now = clock.now()
        if self.value() == "upcoming":
            return queryset.filter(over_at__gt=now)
        if self.value() == "over":
            return queryset.filter(over_at__lte=now)
        if self.value() in {"today", "weekend"}:
            return queryset.filter(_touches(self.value() == "weekend", now))
        return queryset


def _touches(weekend: bool, now: datetime) -> Q:
    """Today, or the two days of the weekend that is on or comes next."""
    zone = reading.policy().home_zone
    day, days = now.astimezone(zones.find(zone)).date(), 1
    if weekend:
        to_saturday = SATURDAY - day.weekday()  # on a Sunday it was yesterday
        day, days = day + timedelta(days=to_saturday), 2
    begins = zones.earliest(datetime.combine(day, time()), zone)
    ends = zones.latest(datetime.combine(day + timedelta(days=days), time()), zone)
    return Q(starts_at__lt=ends, over_at__gt=begins)


class VenueFilter(admin.SimpleListFilter):
    """The venues of weddings that are not over."""

    title = "venue"
    parameter_name = "venue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        ahead = Wedding.objects.filter(over_at__gt=clock.now()).exclude(venue="")
        names = ahead.order_by("venue").values_list("venue", flat=True).distinct()
        return [(name, name) for name in names[:MOST_VENUES]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Wedding]) -> QuerySet[Wedding]:
        return queryset.filter(venue=self.value()) if self.value() else queryset
