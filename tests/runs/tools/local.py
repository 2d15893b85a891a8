"""A minimal stand-in for the engine: runs one tool against a tiny site on loopback."""

import contextlib
import os
import select
import signal
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
import trustme

from runs.host import ports
from runs.samples.aggregator import Aggregator
from runs.tools import Finished, Job, Prepared, Tool, ToolProblem, get_tool
from tests.mortal import MORTAL


def tool_here(name: str) -> Tool:
    """Skips the test where the tool is not installed."""
    tool = get_tool(name)
    try:
        tool.find()
    except ToolProblem as problem:
        pytest.skip(str(problem))
    return tool


class Site:
    """Answers 200, or 500 under /bad; remembers every path that was asked for."""

    def __init__(self, port: int) -> None:
        self.port, self.url = port, f"http://127.0.0.1:{port}"
        self.paths: list[str] = []


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is no news."""


@contextlib.contextmanager
def serve(certificate: trustme.LeafCert | None = None) -> Iterator[Site]:
    """With a certificate it speaks https alone, by whatever name that is for."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            site.paths.append(self.path)
            self.send_response(500 if self.path.startswith("/bad") else 200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    server = _Server(("127.0.0.1", 0), Handler)
    site = Site(int(server.server_address[1]))
    if certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(tls)
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class LocalRun:
    """One tool from prepare to its end; leaving the block kills whatever is left."""

    def __init__(self, tool: Tool, job: Job) -> None:
        self.tool, self.job = tool, job
        self.reader = tool.reader()
        self.aggregator = Aggregator()
        self.prepared: Prepared | None = None
        self.go_fd = -1
        self.output = b""

    def shell(self, argv: list[str], env: Mapping[str, str], timeout_s: float) -> Finished:
        done = subprocess.run(
            argv, env=dict(env), cwd=self.job.workdir, capture_output=True, timeout=timeout_s
        )
        return Finished(done.returncode, done.stdout.decode(), done.stderr.decode())

    def __enter__(self) -> Self:
        self.prepared = self.tool.prepare(self.job, self.shell)
        self._samples, samples_w = os.pipe()
        go_r, self.go_fd = os.pipe()
        command = self.tool.command(self.job, samples_fd=samples_w, go_fd=go_r)
        self._stderr = (self.job.workdir / "stderr.txt").open("wb+")
        self.process = subprocess.Popen(
            [*MORTAL, *command.argv],
            env=command.env,
            cwd=self.job.workdir,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._stderr,
            pass_fds=(samples_w, go_r),
            start_new_session=True,
        )
        os.close(samples_w)
        os.close(go_r)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._stderr.close()
        os.close(self._samples)
        if self.go_fd >= 0:
            os.close(self.go_fd)

    def wait_until_ready(self, seconds: float = 20) -> None:
        ends = time.monotonic() + seconds
        while not self.tool.is_ready(self.job, self.reader):
            assert self.process.poll() is None, self.stderr
            assert time.monotonic() < ends, "never got ready"
            self.read(0.1)

    def go(self) -> None:
        self.tool.go(self.job, self.go_fd)

    def close_go(self) -> None:
        os.close(self.go_fd)
        self.go_fd = -1

    def read(self, seconds: float) -> bool:
        """Take in what the tool writes within this time. False once it closed its end."""
        if not select.select([self._samples], [], [], seconds)[0]:
            return True
        chunk = os.read(self._samples, 1 << 16)
        self.output += chunk
        self.aggregator.add(self.reader.feed(chunk))
        return bool(chunk)

    def read_until_samples(self, seconds: float = 20) -> None:
        ends = time.monotonic() + seconds
        while not self.aggregator.totals().requests:
            assert time.monotonic() < ends, "no sample arrived"
            assert self.read(0.1), self.stderr

    def read_to_end(self, seconds: float = 30) -> int:
        ends = time.monotonic() + seconds
        while self.read(0.1):
            assert time.monotonic() < ends, "never ended"
        return self.process.wait(ends - time.monotonic())

    def run_whole(self) -> int:
        """From ready to its end; its exit code."""
        self.wait_until_ready()
        self.go()
        return self.read_to_end()

    @property
    def stderr(self) -> str:
        return (self.job.workdir / "stderr.txt").read_text()


def job_of(
    tool: Tool,
    script: str,
    workdir: Path,
    *,
    target: str = "http://127.0.0.1:1",
    seconds: float = 10,
    users: int | None = None,
    deny: tuple[str, ...] = (),
) -> Job:
    path = workdir / tool.script_name
    path.write_text(script)
    duration = timedelta(seconds=seconds)
    return Job("1", path, workdir, target, duration, users, ports.free(), deny)
