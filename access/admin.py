from datetime import UTC, datetime, timedelta

from django.contrib import admin
from django.http import HttpRequest

import clock
from access.models import Token

UNITS = (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1)))


@admin.register(Token)
class TokenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """To see who has tokens and to take them away; `./wedsync token` makes them.

    Tokens go by real time, also where the calendar's clock was moved, so that is how they are told.
    """

    list_display = ("user", "scopes", "expires", "last_used")
    list_select_related = ("user",)
    readonly_fields = fields = list_display

    @admin.display(ordering="expires_at")
    def expires(self, token: Token) -> str:
        return told(token.expires_at, now=clock.real_now(), moved=bool(clock.offset()))

    @admin.display(ordering="last_used_at")
    def last_used(self, token: Token) -> str:
        if token.last_used_at is None:
            return "never"
        return told(token.last_used_at, now=clock.real_now(), moved=bool(clock.offset()))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Token | None = None) -> bool:
        return False


def told(at: datetime, *, now: datetime, moved: bool) -> str:
    """`in 29 days, Thu 9 Jul 2026, 10:00 UTC`; `moved` says that it is not the calendar's time."""
    span = abs(at - now)
    name, unit = next((one for one in UNITS if span >= one[1]), UNITS[-1])
    count = span // unit
    far = f"{count} {name}{'' if count == 1 else 's'}"
    real = " in real time" if moved else ""
    day = at.astimezone(UTC)
    when = f"{day:%a} {day.day} {day:%b %Y, %H:%M} UTC{real}"
    return f"in {far}, {when}" if at > now else f"{far} ago, {when}"
