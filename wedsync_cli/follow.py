"""Watches a run until it is over: the live line of its stream, and what it became."""

import time
from collections.abc import Mapping
from typing import Any

from wedsync_cli import report
from wedsync_cli.client import Client, Unreachable
from wedsync_cli.say import Say

GOING = {"scheduled", "queued", "requested", "preparing", "ready", "running", "stopping"}
_COMES_BACK_S = 20.0


def until_over(say: Say, client: Client, run_id: str) -> dict[str, Any]:
    """Shows the live line until the run is over; a broken stream is taken up where it broke."""
    began, since, is_settled = None, "", False
    while (run := look_at(client, run_id))["state"] in GOING:
        if began is None and (say.is_terminal or run["state"] == "queued"):
            say.live(waiting_line(run))
        for event in client.stream(run_id, since=since):
            if event.name != "message":
                break
            began, since = began or time.monotonic(), event.id
            # A second that is still open counts too little, but the very first ones should show.
            if event.data["final"] or not is_settled:
                elapsed_s, is_settled = time.monotonic() - began, event.data["final"]
                say.live(report.live_line(event.data, elapsed_s=elapsed_s))
        time.sleep(0.2)
    return run


def look_at(client: Client, run_id: str) -> dict[str, Any]:
    """The run; a web process that died is started again within seconds, so it is asked again."""
    deadline = time.monotonic() + _COMES_BACK_S
    while True:
        try:
            return client.run(run_id)
        except Unreachable:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.3)


def waiting_line(run: Mapping[str, Any]) -> str:
    place = run.get("queue_position")
    if run["state"] == "queued" and place:
        return f"Number {place} in the queue for {run.get('site')} ..."
    return f"The run is {run['state']} ..."
