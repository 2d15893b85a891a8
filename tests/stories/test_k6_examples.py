"""A script made elsewhere runs unchanged: k6's own examples, their hosts mapped to ours."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from runs.tools.k6 import K6
from tests.stories.grpc_guide import guiding
from tests.stories.serving import serving
from tests.stories.stack import Stack, running_stack

pytestmark = [pytest.mark.live, pytest.mark.tool]
# Those of the release that import nothing remote, speak HTTP, WebSocket or nothing, and end within
# seconds; of the cryptography, which is alike, a few.
EXAMPLES = """
base64.js cookies.js crypto.js custom_metrics.js es6sample.js graphql.js html_form_post.js http_2.js
http_basic_auth.js http_batch.js http_digest_auth.js http_get.js http_verbs.js json.js jwt.js
logging.js ocsp.js redirects.js tagging.js thresholds.js thresholds_readme_example.js timers.js
tls_skip_cert_verification.js tlsconfig.js websocket.js websockets/test-echo.js
enhanced/abort.ts enhanced/script.ts experimental/csv-parse.js experimental/csv-parser.js
experimental/fs/fs.js source_map/issue_1804/main.js source_map/typescript_template/test1.ts
webcrypto/digest.js webcrypto/sign_verify/sign-verify-ecdsa.js
""".split()  # noqa: SIM905 - a list of names reads best as words
GRPC = ("invoke", "reflection", "healthcheck", "client_streaming", "server_streaming")
# What a project is like: code and data above the script, and a file with a common name.
PROJECT = {
    "tests/rush.ts": """
import { visit } from '../script.js';
const guests: string[] = open('../data/guests.csv').trim().split('\\n');
export const options = { vus: 1, iterations: guests.length, thresholds: {
  'http_reqs{url:http://quickpizza.grafana.com/anna}': ['count==1'],
  'http_req_duration{url:http://quickpizza.grafana.com/anna}': ['max<0.000001'],
  'http_reqs{proto:HTTP/1.1}': ['count==3'] } };
export default function (): void { visit(guests[__ITER]); }
""",
    "script.js": """
import http from 'k6/http';
export function visit(guest) { http.get(`http://quickpizza.grafana.com/${guest}`); }
""",
    "data/guests.csv": "anna\nbert\ncleo\n",
}
BESIDE = {".js", ".ts", ".csv", ".txt"}
SITE = "tests.stories.site:app"
PASSED, THRESHOLD = 0, 99  # k6's exit codes


def hosts(scripts: list[Path], plain: str, secure: str) -> dict[str, str]:
    """Every host that the scripts name, by k6's own `hosts` option, on our two sites."""
    address = re.compile(r"(?:http|ws)s?://(?:[^/@\s\"'`]*@)?([a-z0-9.-]+)")
    named = {name for script in scripts for name in address.findall(script.read_text())}
    places = (("80", plain), ("443", secure))
    return {
        f"{name}:{port}": site.partition("//")[2] for name in sorted(named) for port, site in places
    }


def beside(script: Path, folder: Path) -> dict[str, str]:
    """What a script of a folder of its own may import or open."""
    if script.parent == folder:
        return {}
    found = [path for path in script.parent.iterdir() if path.suffix in BESIDE and path != script]
    return {path.name: path.read_text() for path in found}


@pytest.fixture(scope="module")
def examples() -> list[Path]:
    folder = K6().find().parent / "examples"
    found = [folder / name for name in EXAMPLES]
    if not all(path.exists() for path in found):
        pytest.skip(f"k6's examples are not beside it in {folder}; ./wedsync tools fetches them")
    return found


@pytest.fixture(scope="module")
def config(examples: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("k6-config")
    pem = folder / "localhost.pem"
    trustme.CA().issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(pem))
    with serving(SITE) as (plain,), serving(SITE, pem=pem) as (secure,):
        path = folder / "config.json"
        words = {"hosts": hosts(examples, plain, secure), "insecureSkipTLSVerify": True}
        path.write_text(json.dumps(words))
        yield path


@pytest.fixture(scope="module")
def stack(config: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    home = tmp_path_factory.mktemp("examples")
    with running_stack(home, WEDSYNC_K6_CONFIG=str(config)) as stack:
        yield stack


@pytest.fixture(scope="module")
def guide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    with guiding(tmp_path_factory.mktemp("guide")) as found:
        yield found


def test_k6s_own_examples_run_unchanged_and_end_as_by_hand(
    stack: Stack, examples: list[Path], config: Path, tmp_path: Path
) -> None:
    folder = K6().find().parent / "examples"
    words = {script: {"files": beside(script, folder)} for script in examples}
    runs = run_as_by_hand(stack, words, config, tmp_path)
    broken = [script.name for script in examples if runs[script]["state"] in {"errored", "lost"}]
    assert broken == ["abort.ts"]  # which aborts itself, as its name says


def test_k6s_own_grpc_examples_run_unchanged_and_end_as_by_hand(
    stack: Stack, examples: list[Path], guide: tuple[int, Path], config: Path, tmp_path: Path
) -> None:
    port, proto = guide
    scripts = [examples[0].with_name(f"grpc_{name}.js") for name in GRPC]
    (tmp_path / proto.name).write_bytes(proto.read_bytes())
    variables = {"GRPC_ADDR": f"guide.example:{port}", "GRPC_PROTO_PATH": proto.name}
    words = {
        tmp_path / path.name: {
            "files": {proto.name: proto.read_text()},
            "variables": variables,
            "hosts": {"guide.example": "127.0.0.1"},
        }
        for path in scripts
    }
    for path in scripts:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    runs = run_as_by_hand(stack, words, config, tmp_path)
    assert {run["state"] for run in runs.values()} == {"passed"}
    invoked = runs[tmp_path / "grpc_invoke.js"]["totals"]
    assert (invoked["requests"], invoked["errors"]) == (1, 0)
    down = {"variables": variables | {"GRPC_ADDR": "guide.example:1"}}
    words = {tmp_path / "grpc_invoke.js": words[tmp_path / "grpc_invoke.js"] | down}
    (run,) = run_as_by_hand(stack, words, config, tmp_path).values()
    assert (run["state"], run["totals"]) == ("failed", None)


def test_a_project_runs_from_where_its_script_lies_and_its_thresholds_find_their_tags(
    stack: Stack, config: Path, tmp_path: Path
) -> None:
    for name, text in PROJECT.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    script = tmp_path / "tests/rush.ts"
    run = run_as_by_hand(stack, {script: {"files": PROJECT}}, config, tmp_path)[script]
    assert (run["exit_code"], run["totals"]["requests"]) == (THRESHOLD, 3)
    held = [check["held"] for check in run["verdict"]["checks"]]
    assert sorted(held) == [False, True, True]


def run_as_by_hand(
    stack: Stack, words: dict[Path, dict[str, Any]], config: Path, tmp_path: Path
) -> dict[Path, dict[str, Any]]:
    """The runs, each of which ended with the code and the thresholds that it has by hand."""
    ids = {
        script: stack.start(
            f"http://127.0.0.1:{port}",  # tests of one site wait for each other
            script=script.read_text(),
            duration="PT11M",
            name=script.stem,
            **more,
        )
        for port, (script, more) in enumerate(words.items(), 9)
    }
    by_hand = {
        script: run_by_hand(script, more, config, tmp_path / "summary")
        for script, more in words.items()
    }
    runs = {script: stack.wait_for(run_id, within=120) for script, run_id in ids.items()}
    for script, (code, thresholds) in by_hand.items():
        codes = {runs[script]["exit_code"], code}
        # A script whose thresholds rest on chance may end either way, each time anew.
        by_chance = "Math.random" in script.read_text()
        assert len(codes) == 1 or by_chance and codes == {PASSED, THRESHOLD}, script.name
        told = {check["text"]: check["held"] for check in runs[script]["verdict"]["checks"]}
        assert told == thresholds or by_chance and told.keys() == thresholds.keys(), script.name
    return runs


def run_by_hand(
    script: Path, words: dict[str, Any], config: Path, summary: Path
) -> tuple[int, dict[str, bool]]:
    """Its exit code, and which of its thresholds held: in k6's file true means crossed."""
    summary.unlink(missing_ok=True)
    settings = json.loads(config.read_text())
    settings["hosts"] |= words.get("hosts", {})
    own = summary.with_name("config.json")
    own.write_text(json.dumps(settings))
    argv = [str(K6().find()), "run", "--quiet", "--no-usage-report", "--config", str(own)]
    argv += ["--summary-export", str(summary), "--address", "127.0.0.1:0"]
    for name, value in words.get("variables", {}).items():
        argv += ["-e", f"{name}={value}"]
    argv.append(str(script))
    code = subprocess.run(argv, cwd=script.parent, capture_output=True, timeout=60).returncode
    metrics = json.loads(summary.read_text())["metrics"] if summary.exists() else {}
    return code, {
        f"k6: {name} {text}": not is_crossed
        for name, metric in metrics.items()
        for text, is_crossed in metric.get("thresholds", {}).items()
    }
