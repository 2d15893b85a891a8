from django.contrib.auth.views import LogoutView
from django.urls import path

from dashboard import views

urlpatterns = [
    path("", views.home, name="home"),
    path("calendar/", views.calendar_page, name="calendar"),
    path("runs/", views.run_list, name="runs"),
    path("runs/new/", views.new_run, name="new-run"),
    path("runs/<str:run_id>/", views.run_page, name="run"),
    path("login/", views.log_in, name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
]
