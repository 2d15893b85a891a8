"""The admin's pages that are no model's form: to stand before a model's own addresses."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from calendar_guard.admin import csv_pages, month_pages


def urls(model_admin: "admin.ModelAdmin[Any]") -> list[URLPattern]:
    """Under /admin/calendar_guard/wedding/, where every other word is taken for an id."""
    wrap = model_admin.admin_site.admin_view

    def export_csv(request: HttpRequest) -> HttpResponse:
        return csv_pages.export_csv(request, model_admin)

    return [
        path("calendar/", wrap(month_pages.show_month), name="calendar_guard_wedding_calendar"),
        path("import/", wrap(csv_pages.import_csv), name="calendar_guard_wedding_import"),
        path("export.csv", wrap(export_csv), name="calendar_guard_wedding_export"),
    ]
