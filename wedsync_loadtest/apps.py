from django.apps import AppConfig


class WedsyncConfig(AppConfig):
    name = "wedsync_loadtest"
