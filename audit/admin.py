import json
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from audit import telling
from audit.models import Entry


@admin.register(Entry)
class EntryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Read only, for everyone: entries are written where things happen."""

    list_display = ("id", "when", "actor", "action", "subject", "what")
    list_filter = ("action",)
    search_fields = ("subject", "actor")
    show_full_result_count = False  # counting a million entries for every search is slow
    readonly_fields = (*list_display, "facts", "data", "previous", "hash", "version")
    fieldsets = (
        (None, {"fields": ("what", "when", "actor", "action", "subject", "facts")}),
        (
            "As it was hashed",
            {"fields": ("id", "data", "previous", "hash", "version"), "classes": ("collapse",)},
        ),
    )

    @admin.display(description="When (UTC)", ordering="id")
    def when(self, entry: Entry) -> str:
        return f"{entry.at:%a} {entry.at.day} {entry.at:%b %Y, %H:%M:%S}"

    @admin.display(description="What happened")
    def what(self, entry: Entry) -> str:
        labels = {"actor": entry.actor, "action": entry.action, "subject": entry.subject}
        return telling.sentence(**labels, data=_read(entry.body))

    @admin.display(description="Facts")
    def facts(self, entry: Entry) -> SafeString:
        rows = format_html_join(
            "", '<tr><th scope="row">{}</th><td>{}</td></tr>', telling.lines(_read(entry.body))
        )
        return format_html("<table>{}</table>", rows)

    @admin.display(description="Data")
    def data(self, entry: Entry) -> SafeString:
        style = "white-space: pre-wrap; overflow-wrap: anywhere"
        return format_html('<pre style="{}">{}</pre>', style, _pretty(entry.body))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Entry | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Entry | None = None) -> bool:
        return False


def _read(body: str) -> dict[str, Any]:
    """Empty where somebody wrote something else behind the triggers' back."""
    try:
        data = json.loads(body)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _pretty(body: str) -> str:
    """What is there, also where it is no JSON."""
    data = _read(body)
    return json.dumps(data, indent=2, ensure_ascii=False) if data else body
