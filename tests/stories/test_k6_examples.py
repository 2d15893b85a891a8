"""A script made elsewhere runs unchanged: k6's own examples, their hosts mapped to ours."""

import json
import re
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from runs.tools.k6 import K6
from tests.stories.stack import Stack, running_stack

pytestmark = [pytest.mark.live, pytest.mark.tool]
# Those of the release that import nothing remote, speak HTTP or nothing, and end within seconds.
EXAMPLES = """
base64 cookies crypto custom_metrics es6sample graphql html_form_post http_2 http_basic_auth
http_batch http_digest_auth http_get http_verbs json jwt logging ocsp redirects tagging thresholds
thresholds_readme_example timers tls_skip_cert_verification tlsconfig
""".split()  # noqa: SIM905 - a list of names reads best as words
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


def hosts(scripts: list[Path], http: int, https: int) -> dict[str, str]:
    """Every host that the scripts name, by k6's own `hosts` option, on our two ports."""
    names = {
        name
        for script in scripts
        for name in re.findall(r"https?://(?:[^/@\s\"'`]*@)?([a-z0-9.-]+)", script.read_text())
    }
    return {
        f"{name}:{port}": f"127.0.0.1:{ours}"
        for name in sorted(names)
        for port, ours in ((80, http), (443, https))
    }


@pytest.fixture(scope="module")
def examples() -> list[Path]:
    folder = K6().find().parent / "examples"
    found = [folder / f"{name}.js" for name in EXAMPLES]
    if not all(path.exists() for path in found):
        pytest.skip(f"k6's examples are not beside it in {folder}; ./wedsync tools fetches them")
    return found


@pytest.fixture(scope="module")
def config(examples: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("k6-config")
    with ExitStack() as stack:
        http = stack.enter_context(served())
        https = stack.enter_context(served(certificate(folder)))
        path = folder / "config.json"
        words = {"hosts": hosts(examples, http, https), "insecureSkipTLSVerify": True}
        path.write_text(json.dumps(words))
        yield path


@pytest.fixture(scope="module")
def stack(config: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    home = tmp_path_factory.mktemp("examples")
    at = "2026-06-09T10:00:00+02:00"
    with running_stack(home, at, WEDSYNC_K6_CONFIG=str(config)) as stack:
        yield stack


def test_k6s_own_examples_run_unchanged_and_end_as_by_hand(
    stack: Stack, examples: list[Path], config: Path, tmp_path: Path
) -> None:
    ids = {
        script.stem: stack.start(
            f"http://127.0.0.1:{port}",
            script=script.read_text(),
            duration="PT11M",
            name=script.stem,
        )
        for port, script in enumerate(examples, 9)  # tests of one site wait for each other
    }
    by_hand = {script.stem: run_by_hand(script, config, tmp_path) for script in examples}
    runs = {name: stack.wait_for(run_id, within=120) for name, run_id in ids.items()}
    for script in examples:
        codes = {runs[script.stem]["exit_code"], by_hand[script.stem]}
        # A script whose thresholds rest on chance may end either way, each time anew.
        by_chance = "Math.random" in script.read_text()
        assert len(codes) == 1 or by_chance and codes == {PASSED, THRESHOLD}, script.stem
    assert [run["verdict"] for run in runs.values() if run["state"] in {"errored", "lost"}] == []


def run_by_hand(script: Path, config: Path, cwd: Path) -> int:
    argv = [str(K6().find()), "run", "--quiet", "--no-usage-report", "--config", str(config)]
    return subprocess.run(
        [*argv, "--address", "127.0.0.1:0", str(script)], cwd=cwd, capture_output=True, timeout=60
    ).returncode
