from django.apps import AppConfig
from django.core import checks

from wedsync_loadtest.checks import check_the_clock_stands_still


class WedsyncConfig(AppConfig):
    name = "wedsync_loadtest"

    def ready(self) -> None:
        checks.register(check_the_clock_stands_still)
