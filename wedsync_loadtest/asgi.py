"""Streams before Django: sockets at /, events under their own path, views for the rest."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wedsync_loadtest.settings")
views = get_asgi_application()

from access.authentication import ScopeUser  # noqa: E402
from streaming import routing  # noqa: E402

streams = ScopeUser(URLRouter(routing.http()))
application = ProtocolTypeRouter(
    {
        "http": URLRouter(
            [
                re_path(r"^(?=api/load-testing/stream/[^/]+$)", streams),  # type: ignore[arg-type]
                re_path(r"", views),  # type: ignore[arg-type]
            ]
        ),
        "websocket": ScopeUser(URLRouter(routing.websocket())),
    }
)
