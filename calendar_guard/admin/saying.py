from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest


class SaysItself(admin.ModelAdmin):  # type: ignore[type-arg]
    """`save_model` tells what was saved, so Django's own "was changed successfully" is left out."""

    def message_user(
        self, request: HttpRequest, message: Any, level: Any = messages.INFO, *args: Any, **kw: Any
    ) -> None:
        match = request.resolver_match
        is_form = match is not None and str(match.url_name).endswith(("_add", "_change"))
        if not (is_form and level == messages.SUCCESS):
            super().message_user(request, message, level, *args, **kw)
