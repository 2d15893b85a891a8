import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wedsync_loadtest.settings")

app = Celery("wedsync_loadtest")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
