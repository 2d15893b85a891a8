from django.apps import AppConfig


class CalendarGuardConfig(AppConfig):
    name = "calendar_guard"
