"""Serves pages, API and streams with Daphne, prepared for bursts of connects and slow readers.

The reasons and their measured effect: docs/decisions/0004.
"""

import asyncio
import gc
import socket
from argparse import ArgumentParser
from typing import Any

from channels.routing import get_default_application
from daphne.endpoints import build_endpoint_description_strings
from daphne.server import Server
from django.core.management.base import BaseCommand, CommandError

BACKLOG = 4096
SEND_BUFFER = 64 * 1024
DRAIN_POLL_S = 0.05
TEN_YEARS_S = 10 * 365 * 86_400


class PatientServer(Server):  # type: ignore[misc]
    """Daphne that waits for a client which does not read, so that its stream can skip ahead."""

    problem: str | None = None

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        await super().handle_reply(protocol, message)
        if message["type"] == "websocket.send" or message.get("more_body"):
            while _is_congested(protocol):
                await asyncio.sleep(DRAIN_POLL_S)

    def listen_success(self, port: Any) -> None:
        # The kernel would otherwise hold megabytes of stale updates for a reader that stalls.
        port.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        super().listen_success(port)

    def listen_error(self, failure: Any) -> None:
        self.problem = failure.getErrorMessage()
        self.stop()


def _is_congested(protocol: Any) -> bool:
    """Twisted pauses whoever produces for a transport that has more than 64 KiB waiting."""
    channel = getattr(protocol, "channel", protocol)
    return getattr(getattr(channel, "transport", None), "producerPaused", False)


def endpoints(host: str, port: int) -> list[str]:
    """`localhost` may mean ::1 first, so what listens on 127.0.0.1 listens there too."""
    hosts = [host, "::1"] if host == "127.0.0.1" and _has_ipv6() else [host]
    return [
        f"{endpoint}:backlog={BACKLOG}"
        for name in hosts
        for endpoint in build_endpoint_description_strings(host=name, port=port)
    ]


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


class Command(BaseCommand):
    help = "Serve pages, API and live streams."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8080)

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        server = PatientServer(
            get_default_application(),
            endpoints=endpoints(host, port),
            http_timeout=None,
            websocket_timeout=TEN_YEARS_S,
            ready_callable=_calm_the_collector,
        )
        server.run()
        if server.problem:
            raise CommandError(
                f"Port {port} of {host} cannot be served ({server.problem});"
                " end what uses it, or choose another with --port."
            )


def _calm_the_collector() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
