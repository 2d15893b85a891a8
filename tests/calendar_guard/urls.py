"""The guard's doors alone: its API and the admin."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/load-testing/", include("calendar_guard.urls")),
]
