from django.urls import path

from runs.api import plans, runs, schedules

urlpatterns = [
    path("runs", runs.RunsView.as_view()),
    path("runs/stop", runs.StopAllView.as_view()),
    path("runs/compare", runs.CompareView.as_view()),
    path("runs/<str:run_id>", runs.RunView.as_view()),
    path("runs/<str:run_id>/moves", runs.MovesView.as_view()),
    path("runs/<str:run_id>/metrics", runs.MetricsView.as_view()),
    path("runs/<str:run_id>/stop", runs.StopView.as_view()),
    path("plans", plans.PlansView.as_view()),
    path("plans/<str:plan_id>", plans.PlanView.as_view()),
    path("plans/<str:plan_id>/baseline", plans.BaselineView.as_view()),
    path("plans/<str:plan_id>/trend", plans.TrendView.as_view()),
    path("schedules", schedules.SchedulesView.as_view()),
    path("schedules/<str:schedule_id>", schedules.ScheduleView.as_view()),
    path("targets", schedules.TargetsView.as_view()),
]
