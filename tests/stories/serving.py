"""An ASGI application on loopback ports, for as long as a block lasts."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests import ports
from tests.mortal import MORTAL
from tests.stories.stack import ROOT
from tests.waiting import until


@contextlib.contextmanager
def serving(app: str, sites: int = 1, pem: Path | None = None) -> Iterator[list[str]]:
    """The addresses of as many sites, all of one process, that answer; over TLS with a `pem`."""
    scheme = "https" if pem else "http"
    speaks = f"ssl:privateKey={pem}:certKey={pem}" if pem else "tcp"
    free = [ports.keep() for _ in range(sites)]
    urls = [f"{scheme}://127.0.0.1:{port}" for port in free]
    places = [f"--endpoint={speaks}:port={port}:interface=127.0.0.1" for port in free]
    argv = [*MORTAL, sys.executable, "-m", "daphne", "-v", "0", *places, app]

    def answers() -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return all(httpx.get(url, trust_env=False, verify=False).is_success for url in urls)
        return False

    process = subprocess.Popen(argv, cwd=ROOT)
    try:
        until(answers, within=20, what=f"the start of {app}")
        yield urls
    finally:
        process.terminate()
        process.wait(10)
