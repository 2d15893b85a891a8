"""How much of k6's own speed is left when it runs through the product.

Five pairs of the same script (20 users, no pauses, nginx answering 200): once through a fresh
embedded stack, once by hand with the same flags and JSON written to a file. Both run for the same
time, so the ratio of requests is the ratio of rates. Loopback only; ends by itself.
"""

import contextlib
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.stories.stack import Stack, running_stack
from tests.valkey import free_port
from wedsync_cli import tools

PAIRS, SECONDS, USERS = 5, 10, 20
QUIET_TUESDAY = "2026-06-09T10:00:00+02:00"
SCRIPT = f"""
import http from 'k6/http';
export const options = {{ scenarios: {{ rush: {{
  executor: 'constant-vus', vus: {USERS}, duration: '{SECONDS}s', gracefulStop: '2s' }} }} }};
export default function () {{ http.get(__ENV.TARGET, {{ tags: {{ name: 'home' }} }}); }}
"""
TAGS = "status,method,name,scenario,group,check,error,error_code,expected_response"
NGINX = """
worker_processes 1; daemon off; pid {dir}/nginx.pid; error_log {dir}/error.log;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 1000000000;
  client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f;
  uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 "ok"; }} }} }}
"""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def nginx(folder: Path) -> Iterator[str]:
    binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if not binary:
        raise SystemExit("This benchmark needs nginx; ./wedsync tools installs it.")
    port, config = free_port(), folder / "nginx.conf"
    config.write_text(NGINX.format(dir=folder, port=port))
    process = subprocess.Popen([binary, "-c", str(config), "-e", str(folder / "error.log")])
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(10)


def through_product(stack: Stack, target: str) -> int:
    run_id = stack.start(target, name="overhead", script=SCRIPT, duration="PT1M")
    run = stack.wait_for(run_id, within=60, every=1.0)
    if run["state"] != "passed":
        raise SystemExit(f"The run did not pass: {run['verdict']}")
    return int(run["totals"]["requests"])


def by_hand(k6: Path, target: str, folder: Path) -> int:
    script, summary, lines = (folder / name for name in ("script.js", "summary.json", "out.json"))
    script.write_text(SCRIPT)
    flags = ["--quiet", "--no-color", "--log-output", "stderr", "--no-usage-report"]
    flags += ["--address", f"127.0.0.1:{free_port()}", "--include-system-env-vars=false"]
    flags += ["--system-tags", TAGS, "--summary-export", str(summary), "-e", f"TARGET={target}"]
    argv = [str(k6), "run", *flags, "--out", f"json={lines}", str(script)]
    subprocess.run(argv, check=True, capture_output=True, cwd=folder)
    lines.unlink()
    return int(json.loads(summary.read_text())["metrics"]["http_reqs"]["count"])


def measure(stack: Stack, k6: Path, target: str, folder: Path) -> list[tuple[int, int]]:
    """Pairs of requests made (through the product, by hand), each first in turn."""
    pairs = []
    for number in range(PAIRS):
        if number % 2:
            hand, ours = by_hand(k6, target, folder), through_product(stack, target)
        else:
            ours, hand = through_product(stack, target), by_hand(k6, target, folder)
        pairs.append((ours, hand))
        rates = f"{ours / SECONDS:.0f}/s through the product, {hand / SECONDS:.0f}/s by hand"
        say(f"pair {number + 1}: {rates}: {ours / hand:.1%}")
    return pairs


def main() -> None:
    k6 = tools.find_k6()
    if not k6:
        raise SystemExit("This benchmark needs k6; ./wedsync tools installs it.")
    with tempfile.TemporaryDirectory(prefix="wedsync-bench-") as name:
        folder = Path(name)
        with nginx(folder) as target, running_stack(folder, QUIET_TUESDAY) as stack:
            pairs = measure(stack, k6, target, folder)
    ratios = [ours / hand for ours, hand in pairs]
    figures = {
        "ratio_median": round(statistics.median(ratios), 4),
        "ratio_worst": round(min(ratios), 4),
        "ours_rps": round(statistics.median(ours for ours, _ in pairs) / SECONDS),
        "hand_rps": round(statistics.median(hand for _, hand in pairs) / SECONDS),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
