from django.contrib.auth.views import LogoutView
from django.urls import path

from dashboard import run_pages, views

urlpatterns = [
    path("", views.home, name="home"),
    path("favicon.ico", views.icon),
    path("calendar/", views.calendar_page, name="calendar"),
    path("runs/", run_pages.run_list, name="runs"),
    path("runs/new/", views.new_run, name="new-run"),
    path("runs/compare/", run_pages.compare_page, name="compare"),
    path("runs/<str:run_id>/", run_pages.run_page, name="run"),
    path("plans/", run_pages.plan_list, name="plans"),
    path("plans/<str:plan_id>/", run_pages.plan_page, name="plan"),
    path("login/", views.log_in, name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
]
