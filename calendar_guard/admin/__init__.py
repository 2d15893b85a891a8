"""The calendar as its coordinators keep it. Every form writes through `calendar_guard.writing`."""

from django.contrib import admin

from calendar_guard.admin import attestations, feeds, holds, people, permits, weddings

__all__ = ["attestations", "feeds", "holds", "people", "permits", "weddings"]

admin.site.site_header = admin.site.site_title = "WedSync load testing"
admin.site.index_title = "Weddings, people and permits"
