from django.urls import path

from calendar_guard import hold_views, outgoing_views, views, wedding_views

urlpatterns = [
    path("window", views.WindowView.as_view(), name="window"),
    path("windows", views.WindowsView.as_view()),
    path("policy", views.PolicyView.as_view()),
    path("heat-map", views.HeatMapView.as_view()),
    path("feeds", views.FeedsView.as_view()),
    path("calendar.ics", outgoing_views.CalendarFeedView.as_view(), name="calendar-feed"),
    path("weddings", wedding_views.WeddingsView.as_view()),
    path("weddings/active", wedding_views.ActiveView.as_view()),
    path("weddings/<int:wedding_id>", wedding_views.WeddingView.as_view()),
    path("weddings/<int:wedding_id>/still-going", wedding_views.StillGoingView.as_view()),
    path("weddings/<int:wedding_id>/complete", wedding_views.CompleteView.as_view()),
    path("holds", hold_views.HoldsView.as_view()),
    path("holds/<int:hold_id>", hold_views.HoldView.as_view()),
    path("attestations", hold_views.AttestationsView.as_view()),
]
