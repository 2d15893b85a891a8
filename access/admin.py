from django.contrib import admin
from django.http import HttpRequest

from access.models import Token


@admin.register(Token)
class TokenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """To see who has tokens and to take them away; `./wedsync token` makes them."""

    list_display = ("user", "scopes", "expires_at", "last_used_at")
    list_select_related = ("user",)
    readonly_fields = fields = list_display

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Token | None = None) -> bool:
        return False
