from django.apps import AppConfig


class CalendarGuardConfig(AppConfig):
    name = "calendar_guard"
    verbose_name = "Wedding calendar"
