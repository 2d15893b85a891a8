import os
from logging.config import dictConfig
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wedsync_loadtest.settings")

app = Celery("wedsync_loadtest")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def use_our_logging(**kwargs: Any) -> None:
    """Celery would otherwise put handlers and levels of its own in place of ours."""
    dictConfig(settings.LOGGING)
