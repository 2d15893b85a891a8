from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from runs import moves
from runs.models import Run


@admin.register(Run)
class RunAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """History is read, never edited: runs start and stop on the pages and over REST."""

    list_display = ("id", "name", "state", "tool", "target", "requested_by", "created_at")
    list_filter = ("state", "tool")
    search_fields = ("name", "target")
    readonly_fields = ("moves",)

    @admin.display(description="Moves (UTC)")
    def moves(self, run: Run) -> SafeString:
        rows = (
            (f"{move.at:%a} {move.at.day} {move.at:%b %Y, %H:%M:%S}", move.to, move.by, move.why)
            for move in moves.history(run.pk)
        )
        cells = format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>", rows)
        head = "<tr><th>When</th><th>To</th><th>By</th><th>Why</th></tr>"
        return format_html("<table><thead>{}</thead>{}</table>", SafeString(head), cells)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Run | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Run | None = None) -> bool:
        return False
