import logging
from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate

log = logging.getLogger(__name__)


class WedsyncConfig(AppConfig):
    name = "wedsync_loadtest"

    def ready(self) -> None:
        """Roles follow each `migrate`, once the last app's permissions are there.

        Not a data migration, so that a change of roles.py needs no migration of its own.
        """
        last = [app for app in apps.get_app_configs() if app.models_module][-1]
        post_migrate.connect(_make_roles, sender=last)


def _make_roles(**_: Any) -> None:
    from access import services as access  # its models are not there yet when this file is read

    try:
        access.sync_roles()
    except access.UnknownPermission as missing:
        log.warning("The roles stay as they are until everything is migrated: %s", missing)
