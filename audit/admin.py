import json

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit.models import Entry


@admin.register(Entry)
class EntryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Read only, for everyone: entries are written where things happen."""

    list_display = ("id", "when", "actor", "action", "subject")
    list_filter = ("action",)
    search_fields = ("subject", "actor")
    show_full_result_count = False  # counting a million entries for every search is slow
    fields = readonly_fields = (*list_display, "data", "previous", "hash", "version")

    @admin.display(description="When (UTC)", ordering="id")
    def when(self, entry: Entry) -> str:
        return f"{entry.at:%a} {entry.at.day} {entry.at:%b %Y, %H:%M:%S}"

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


def _pretty(body: str) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:  # somebody wrote it behind the triggers' back: show what is there
        return body
