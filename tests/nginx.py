"""A site on loopback that is faster than any load tool: nginx, answering 200 from memory."""

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests import ports
from tests.mortal import MORTAL

CONFIG = """
worker_processes 1; daemon off; pid {dir}/nginx.pid; error_log {dir}/error.log;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 1000000000;
  client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f;
  uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 "ok"; }} }} }}
"""


def find_nginx() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


@contextlib.contextmanager
def nginx(binary: str) -> Iterator[str]:
    """Its address, with a slash at the end."""
    with tempfile.TemporaryDirectory() as folder:
        port, config = ports.keep(), Path(folder, "nginx.conf")
        config.write_text(CONFIG.format(dir=folder, port=port))
        argv = [*MORTAL, binary, "-c", str(config), "-e", f"{folder}/error.log"]
        process = subprocess.Popen(argv)
        try:
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.terminate()
            process.wait(10)
