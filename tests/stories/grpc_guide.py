"""The gRPC server that k6's examples ask, built from k6's own module where Go has fetched it.

It takes about a second where k6 itself was built here.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.mortal import MORTAL

MODULE = "go.k6.io/k6@v1.8.1"
SERVICE = "internal/lib/testutils/grpcservice"
PATIENCE_S = 100
MAIN = """package main

import (
	"fmt"
	"net"

	guide "go.k6.io/k6/internal/lib/testutils/grpcservice"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	known := guide.LoadFeatures("")[:5]
	server := grpc.NewServer()
	guide.RegisterRouteGuideServer(server, guide.NewRouteGuideServer(known...))
	guide.RegisterFeatureExplorerServer(server, guide.NewFeatureExplorerServer(known...))
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	reflection.Register(server)
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	panic(server.Serve(listener))
}
"""


@contextmanager
def guiding(folder: Path) -> Iterator[tuple[int, Path]]:
    """Its port, and the proto file that describes it."""
    module = _module()
    server = subprocess.Popen(
        [*MORTAL, _build(module, folder)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert server.stdout is not None
        yield int(server.stdout.readline()), module / SERVICE / "route_guide.proto"
    finally:
        server.kill()
        server.communicate()


def _module() -> Path:
    if not shutil.which("go"):
        pytest.skip("there is no Go here to build k6's gRPC server")
    found = _go("mod", "download", "-json", MODULE, cwd=Path("/"))
    if found.returncode:
        pytest.skip("k6's Go module is not here: k6 was not built on this machine")
    return Path(json.loads(found.stdout)["Dir"])


def _build(module: Path, folder: Path) -> Path:
    """In a copy of the module, as its packages are its own alone."""
    shutil.copytree(module / SERVICE, folder / SERVICE)
    for name in ("go.mod", "go.sum"):
        shutil.copyfile(module / name, folder / name)
    (folder / "main.go").write_text(MAIN)
    done = _go("build", "-mod=mod", "-o", "guide", ".", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "guide"


def _go(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Without the network."""
    env = os.environ | {"GOPROXY": "off", "GOTOOLCHAIN": "local"}
    argv = ["go", *words]
    return subprocess.run(
        argv, cwd=cwd, env=env, capture_output=True, text=True, timeout=PATIENCE_S
    )
