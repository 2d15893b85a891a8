"""A script made elsewhere runs unchanged: k6's own examples, their hosts mapped to ours."""

import asyncio
import json
import re
import ssl
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from runs.tools.k6 import K6
from tests.stories.grpc_guide import guiding
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
PASSED, THRESHOLD = 0, 99  # k6's exit codes


class AnyPage(BaseHTTPRequestHandler):
    """Answers every request with 200 and what it was sent."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        body = json.dumps({"json": {}, "form": {}, "cookies": {}, "data": sent}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = answer

    def log_message(self, *args: Any) -> None:
        pass


class Site(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up in a handshake is no news."""


@contextmanager
def served(tls: ssl.SSLContext | None = None) -> Iterator[int]:
    with Site(("127.0.0.1", 0), AnyPage) as site:
        if tls:
            site.socket = tls.wrap_socket(
                site.socket, server_side=True, do_handshake_on_connect=False
            )
        thread = threading.Thread(target=site.serve_forever, daemon=True)
        thread.start()
        yield site.server_address[1]
        site.shutdown()
        thread.join(5)


def certificate(folder: Path) -> ssl.SSLContext:
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        + ["-subj", "/CN=localhost", "-keyout", str(key), "-out", str(cert)],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


async def echo(client: ServerConnection) -> None:
    async for message in client:
        await client.send(message)


@contextmanager
def echoing() -> Iterator[int]:
    """A WebSocket server that says what it hears."""
    started: Future[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve_until_told() -> None:
        async with serve(echo, "127.0.0.1", 0) as server:
            over = asyncio.Event()
            port = next(iter(server.sockets)).getsockname()[1]
            started.set_result((port, asyncio.get_running_loop(), over))
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=[serve_until_told()], daemon=True)
    thread.start()
    port, loop, over = started.result(10)
    yield port
    loop.call_soon_threadsafe(over.set)
    thread.join(5)


def hosts(scripts: list[Path], http: int, https: int, sockets: int) -> dict[str, str]:
    """Every host that the scripts name, by k6's own `hosts` option, on our three ports."""
    named = {
        (scheme, name)
        for script in scripts
        for scheme, name in re.findall(
            r"(https?|ws)://(?:[^/@\s\"'`]*@)?([a-z0-9.-]+)", script.read_text()
        )
    }
    mapped = {f"{name}:443": f"127.0.0.1:{https}" for _, name in sorted(named)}
    for scheme, name in sorted(named):
        mapped[f"{name}:80"] = f"127.0.0.1:{sockets if scheme == 'ws' else http}"
    return mapped


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
    with ExitStack() as stack:
        http = stack.enter_context(served())
        https = stack.enter_context(served(certificate(folder)))
        sockets = stack.enter_context(echoing())
        path = folder / "config.json"
        words = {"hosts": hosts(examples, http, https, sockets), "insecureSkipTLSVerify": True}
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
