"""A flush takes the rows that migrations made; the target that every run needs comes back."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from django.apps import apps
from django.db.models.signals import post_migrate


@contextmanager
def this_machine_outlives_a_flush() -> Iterator[None]:
    add = import_module("runs.migrations.0003_this_machine").add_this_machine

    def again(**words: Any) -> None:
        add(apps, None)

    post_migrate.connect(again, sender=apps.get_app_config("runs"))
    yield
    post_migrate.disconnect(again, sender=apps.get_app_config("runs"))
