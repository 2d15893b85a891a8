from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/load-testing/", include("calendar_guard.urls")),
    path("api/load-testing/", include("runs.urls")),
    path("", include("dashboard.urls")),
]
