from django.urls import path

from calendar_guard.views import WindowView

urlpatterns = [path("window", WindowView.as_view(), name="window")]
