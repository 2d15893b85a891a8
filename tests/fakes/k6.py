"""A working stand-in for k6, for tests without the real one: same commands, REST and lines.

The script's first line says how it behaves: `// {"seconds": 1, "rps": 50, "mode": "steady"}`.
Modes: steady, dead (every request is refused), garbage, flood (as much as the pipe takes), silent,
never_ready, stubborn (ignores TERM), loops (never ends loading), crossed (thresholds), broken (a
syntax error), breaks (after half of its time), throws (its setup does), spills (its teardown throws
with $API_TOKEN in its words). A segment of it makes its part of the requests, and what of the setup
and the teardown it is asked for is told on stderr. An option it does not know ends it.
"""

import argparse
import json
import os
import signal
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

AHEAD_S = 0  # by how much the test's clock is moved
go = threading.Event()


class Rest(BaseHTTPRequestHandler):
    ready, throws = True, False

    def do_GET(self) -> None:
        self._answer({"data": {"attributes": {"status": 4 if self.ready else 1, "paused": True}}})

    def do_POST(self) -> None:
        tell(f"asked for {self.path}")
        if self.throws:
            fault = {"title": "Error", "detail": "Error: 401 for home\n\tat setup (file:///a.js:2)"}
            return self._answer({"errors": [fault]}, 500)
        self._answer({"data": {"attributes": {"data": {"made by": os.getpid()}}}})

    def do_PUT(self) -> None:
        tell(f"told {self.rfile.read(int(self.headers['Content-Length'])).decode()}")
        self._answer({})

    def do_PATCH(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer({"data": {"attributes": {"status": 7, "paused": False}}})
        go.set()

    def _answer(self, body: dict[str, Any], status: int = 200) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        pass


def tell(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def point(metric: str, value: float, **tags: str) -> bytes:
    at = (datetime.now(UTC) + timedelta(seconds=AHEAD_S)).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"
    return (
        json.dumps(
            {
                "metric": metric,
                "type": "Point",
                "data": {"time": at, "value": value, "tags": tags},
            },
            separators=(",", ":"),
        ).encode()
        + b"\n"
    )


def declaration(metric: str, kind: str) -> bytes:
    data = {"name": metric, "type": kind, "contains": "default", "thresholds": []}
    return json.dumps({"type": "Metric", "data": data, "metric": metric}).encode() + b"\n"


def request(number: int, dead: bool) -> bytes:
    tags = {"expected_response": "true", "method": "GET", "name": "home", "status": "200"}
    if dead:
        tags |= {"expected_response": "false", "status": "0", "error_code": "1212"}
    return point("http_req_duration", 0 if dead else 10 + number % 10, **tags)


def load(plan: dict[str, Any], out: int, parts: int) -> int:
    mode, rps = plan.get("mode", "steady"), plan.get("rps", 50) // parts
    if mode not in {"garbage", "silent"}:
        os.write(out, declaration("vus", "gauge") + declaration("http_req_duration", "trend"))
    end, number = time.monotonic() + plan.get("seconds", 1), 0
    if mode == "flood":
        flood(out, end)
    while time.monotonic() < end:
        if mode == "breaks" and time.monotonic() > end - plan["seconds"] / 2:
            tell("level=error msg=panicked")
            return 109
        if mode == "garbage":
            os.write(out, os.urandom(4096))
        elif mode != "silent":
            os.write(out, point("vus", 5))
            for number in range(number, number + max(1, rps // 10)):  # noqa: B020
                os.write(out, request(number, mode == "dead"))
        time.sleep(0.1)
    return 0


def flood(out: int, end: float) -> None:
    lines, longest = 0, 0.0
    while (began := time.monotonic()) < end:
        os.write(out, request(lines, dead=False) * 200)
        lines, longest = lines + 200, max(longest, time.monotonic() - began)
    print(f"flooded: {lines} lines, waited {longest:.3f} s at most", file=sys.stderr, flush=True)


def run(options: argparse.Namespace) -> int:
    plan = plan_of(options.script)
    if plan.get("mode") == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(105))
    Rest.ready = plan.get("mode") != "never_ready"
    Rest.throws = plan.get("mode") == "throws"
    host, port = options.address.split(":")
    server = HTTPServer((host, int(port)), Rest)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("level=info msg=waiting", file=sys.stderr, flush=True)
    if plan.get("mode") == "leaves" and (options.execution_segment or "0").startswith("0"):
        return 0
    go.wait()
    out = os.open(options.out.removeprefix("json="), os.O_RDWR)
    parts = int((options.execution_segment or "1/1").rpartition("/")[2])
    if code := load(plan, out, parts):
        return code
    if plan.get("mode") == "spills":
        tell(f'level=error msg="Error: no guest has the token {os.environ["API_TOKEN"]}"')
        return 107
    is_crossed = plan.get("mode") == "crossed" and not options.no_thresholds
    own = {"p(95)<500": False, "max<15": True} if is_crossed else {}
    summary = {"metrics": {"http_req_duration": {"max": 19, "thresholds": own}}}
    Path(options.summary_export).write_text(json.dumps(summary))
    return 99 if is_crossed else 0


def plan_of(path: str) -> dict[str, Any]:
    plan: dict[str, Any] = json.loads(Path(path).read_text().splitlines()[0].removeprefix("//"))
    return plan


def inspect(options: argparse.Namespace) -> int:
    plan = plan_of(options.script)
    worst = plan.get("worst", plan.get("seconds", 1))
    own = {"http_req_duration": ["max<15"]} if plan.get("mode") == "crossed" else {}
    words = {"totalDuration": f"{worst}s", "maxVUs": 5, "blacklistIPs": None, "thresholds": own}
    print(json.dumps(words))
    return 0


def archive(options: argparse.Namespace) -> int:
    mode = plan_of(options.script).get("mode")
    if mode == "loops":
        time.sleep(3600)
    if mode == "broken":
        print(
            'level=error msg="SyntaxError: unexpected end of file at script.js:3"', file=sys.stderr
        )
        return 107
    Path(options.archive_out).write_text(Path(options.script).read_text())
    return 0


def main() -> int:
    if sys.argv[1] == "version":
        print("k6 v1.8.1 (fake, linux/amd64)")
        return 0
    parser = argparse.ArgumentParser(prog="k6", allow_abbrev=False)
    parser.add_argument("command", choices=["archive", "inspect", "run"])
    parser.add_argument("script")
    parser.add_argument("-O", "--archive-out")
    for name in (
        "address",
        "config",
        "execution-segment",
        "execution-segment-sequence",
        "log-format",
        "log-output",
        "out",
        "summary-export",
        "system-tags",
    ):
        parser.add_argument(f"--{name}")
    parser.add_argument("--blacklist-ip", action="append")
    parser.add_argument("-e", "--env", action="append")
    for name in (
        "exclude-env-vars",
        "execution-requirements",
        "no-color",
        "no-setup",
        "no-teardown",
        "no-thresholds",
        "no-usage-report",
        "paused",
        "quiet",
    ):
        parser.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--include-system-env-vars", choices=["false", "true"])
    options = parser.parse_args()
    return {"archive": archive, "inspect": inspect, "run": run}[options.command](options)


if __name__ == "__main__":
    sys.exit(main())
