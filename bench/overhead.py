"""How much of k6's own speed is left when it runs through the product.

Five pairs of the same script (20 users, no pauses, nginx answering 200): through an embedded stack,
and by hand with the same flags and JSON written to a file. Each run through the product stands
between two by hand and is compared with their mean, since a machine's speed drifts. All run for the
same time, so the ratio of requests is the ratio of rates. `ratio_tuned` compares with a run by hand
whose garbage collector has the product's room (runs.tools.k6.options.GOGC), which nobody gives it
by default.
How long the updates took from reading k6's first bytes behind them to being published is read in
the worker's log. Loopback only; ends by itself, and with code 1 where the median or the 99th
percentile is beyond its limit.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench._publishing import delays_ms, quantile
from runs.tools.k6.options import GOGC
from runs.tools.k6.plans import READ_TAGS
from tests.nginx import find_nginx, nginx
from tests.stories.stack import Stack, running_stack
from wedsync_cli import ports, tools

PAIRS, SECONDS, USERS = 5, 10, 20
LEAST_RATIO, MOST_P99_MS = 0.97, 50
SCRIPT = f"""
import http from 'k6/http';
export const options = {{ scenarios: {{ rush: {{
  executor: 'constant-vus', vus: {USERS}, duration: '{SECONDS}s', gracefulStop: '2s' }} }} }};
export default function () {{ http.get(__ENV.TARGET, {{ tags: {{ name: 'home' }} }}); }}
"""
TAGS = ",".join(READ_TAGS)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def through_product(stack: Stack, target: str) -> tuple[int, list[float]]:
    """Requests made, and the delays of the updates in milliseconds."""
    run_id = stack.start(target, name="overhead", script=SCRIPT, duration="PT1M")
    run = stack.wait_for(run_id, within=60, every=1.0)
    if run["state"] != "passed":
        raise SystemExit(f"The run did not pass: {run['verdict']}")
    return int(run["totals"]["requests"]), delays_ms(stack, run_id)


def by_hand(k6: Path, target: str, folder: Path, **more: str) -> int:
    script, summary, lines = (folder / name for name in ("script.js", "summary.json", "out.json"))
    script.write_text(SCRIPT)
    flags = ["--quiet", "--no-color", "--log-output", "stderr", "--no-usage-report"]
    flags += ["--address", f"127.0.0.1:{ports.free()}", "--include-system-env-vars=false"]
    flags += ["--system-tags", TAGS, "--summary-export", str(summary), "-e", f"TARGET={target}"]
    argv = [str(k6), "run", *flags, "--out", f"json={lines}", str(script)]
    subprocess.run(argv, check=True, capture_output=True, cwd=folder, env=os.environ | more)
    lines.unlink()
    return int(json.loads(summary.read_text())["metrics"]["http_reqs"]["count"])


def measure(stack: Stack, k6: Path, target: str, folder: Path) -> dict[str, float]:
    through_product(stack, target)  # the first one starts what is started once
    before, ratios, tuned = by_hand(k6, target, folder), [], []
    ours, hands, delays = [], [], []
    for number in range(1, PAIRS + 1):
        made, took = through_product(stack, target)
        after = by_hand(k6, target, folder)
        tuned.append(made / by_hand(k6, target, folder, GOGC=GOGC))
        hand = (before + after) / 2
        rates = f"{made / SECONDS:.0f}/s through the product, {hand / SECONDS:.0f}/s by hand"
        say(f"pair {number}: {rates}: {made / hand:.1%}")
        ratios.append(made / hand)
        ours.append(made)
        hands.append(hand)
        delays += took
        before = after
    delays.sort()
    return {
        "ratio_median": round(statistics.median(ratios), 4),
        "ratio_tuned": round(statistics.median(tuned), 4),
        "ratio_worst": round(min(ratios), 4),
        "ours_rps": round(statistics.median(ours) / SECONDS),
        "hand_rps": round(statistics.median(hands) / SECONDS),
        "published_p50_ms": quantile(delays, 0.5),
        "published_p99_ms": quantile(delays, 0.99),
    }


def main() -> None:
    k6, server = tools.find_k6(), find_nginx()
    if not k6 or not server:
        raise SystemExit("This benchmark needs k6 and nginx; ./wedsync tools installs them.")
    with tempfile.TemporaryDirectory(prefix="wedsync-bench-") as name:
        folder = Path(name)
        with nginx(server) as target, running_stack(folder) as stack:
            figures = measure(stack, k6, target, folder)
    print(json.dumps(figures))
    if figures["ratio_median"] < LEAST_RATIO:
        sys.exit(f"ratio_median is {figures['ratio_median']:.1%}, under its {LEAST_RATIO:.0%}.")
    if figures["published_p99_ms"] > MOST_P99_MS:
        sys.exit(f"published_p99_ms is {figures['published_p99_ms']}, over its {MOST_P99_MS}.")


if __name__ == "__main__":
    main()
