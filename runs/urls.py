from django.urls import path

from runs import views

urlpatterns = [
    path("runs", views.RunsView.as_view()),
    path("runs/<str:run_id>", views.RunView.as_view()),
    path("runs/<str:run_id>/metrics", views.MetricsView.as_view()),
    path("runs/<str:run_id>/stop", views.StopView.as_view()),
    path("plans", views.PlansView.as_view()),
]
