from django.contrib import admin
from django.urls import include, path

from dashboard import views
from wedsync_loadtest import problems

handler400, handler404, handler500 = problems.bad_request, views.no_such_page, problems.fault
urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/load-testing/", include("calendar_guard.urls")),
    path("api/load-testing/", include("runs.urls")),
    path("api/<path:rest>", problems.unknown),
    path("", include("dashboard.urls")),
]
