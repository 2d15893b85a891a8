from django.urls import path

from calendar_guard.api import calendar_feed, holds, questions, weddings

urlpatterns = [
    path("window", questions.WindowView.as_view(), name="window"),
    path("windows", questions.WindowsView.as_view()),
    path("policy", questions.PolicyView.as_view()),
    path("heat-map", questions.HeatMapView.as_view()),
    path("feeds", questions.FeedsView.as_view()),
    path("calendar.ics", calendar_feed.CalendarFeedView.as_view(), name="calendar-feed"),
    path("weddings", weddings.WeddingsView.as_view()),
    path("weddings/active", weddings.ActiveView.as_view()),
    path("weddings/<int:wedding_id>", weddings.WeddingView.as_view()),
    path("weddings/<int:wedding_id>/still-going", weddings.StillGoingView.as_view()),
    path("weddings/<int:wedding_id>/complete", weddings.CompleteView.as_view()),
    path("holds", holds.HoldsView.as_view()),
    path("holds/<int:hold_id>", holds.HoldView.as_view()),
    path("attestations", holds.AttestationsView.as_view()),
]
