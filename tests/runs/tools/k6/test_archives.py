import io
import json
import tarfile
import tracemalloc
from pathlib import Path

import pytest

from runs.samples import REQUESTS
from runs.tools.k6 import K6, archives
from tests.runs.tools.fake_shell import job_in
from tests.runs.tools.k6.shell import shell_of


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("import grpc from 'k6/net/grpc'", 0),
        ('const http = require("k6/http")', 0),
        ("import { WebSocket } from 'k6/experimental/websockets'", 0),
        ("import {\n  get,\n  post,\n} from 'k6/http'", 0),
        ('"use strict";import t from"k6";import e from"k6/http";', 0),
        ('/* banner */ import http from "k6/http"', 0),
        ('let a={}import t from"k6/http"', 0),
        ("export async function setup() { await import('k6/http'); }", 0),
        ("import { check } from 'k6'; // https://grafana.com/docs/k6/http", 1),
        ("// formerly: import http from 'k6/http';\nimport { check } from 'k6'", 1),
        ("  // const http = require('k6/http')", 1),
    ],
)
def test_iterations_are_requests_only_of_a_script_that_can_make_no_others_and_it_is_said_before(
    k6: K6, tmp_path: Path, text: str, counted: int
) -> None:
    with tarfile.open(tmp_path / "wedsync-archive.tar", "w") as tar:
        member = tarfile.TarInfo("file/work/lib/guests.js")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text.encode()))
    data = {"time": "2026-11-23T14:34:19Z", "value": 9, "tags": {}}
    line = {"metric": "iteration_duration", "type": "Point", "data": data}
    batch = k6.reader(job_in(tmp_path)).feed(json.dumps(line).encode() + b"\n")
    assert len([key for _, key in batch.cells if key.metric == REQUESTS]) == counted
    warnings = k6.prepare(job_in(tmp_path), shell_of()).warnings
    assert ["iterations are counted as requests" in text for text in warnings] == [True] * counted


def test_whether_a_long_script_makes_requests_is_found_at_once(tmp_path: Path) -> None:
    """One that went on from each line to the end of the file would need minutes."""
    text = "".join(f"export const guest{number} = {number}\n" for number in range(60_000)).encode()
    with tarfile.open(tmp_path / "long.tar", "w") as tar:
        member = tarfile.TarInfo("data")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text))
    assert archives.speaks(tmp_path / "long.tar") is False


def test_names_are_mapped_in_an_archive_that_is_larger_than_the_memory_it_takes(
    tmp_path: Path,
) -> None:
    """A script may have k6 pack files of the machine into it, as long as a file may be."""
    photo = bytes(32 << 20)
    with tarfile.open(archive := tmp_path / "wedsync-archive.tar", "w") as tar:
        for name, content in (("file/photo.jpg", photo), ("metadata.json", b'{"options": {}}')):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    tracemalloc.start()
    archives.map_hosts(archive, {"shop.example": "127.0.0.1"})
    took = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    with tarfile.open(archive) as tar:
        kept, mapped = (tar.extractfile(name) for name in tar.getnames())
        assert kept is not None
        assert mapped is not None
        assert kept.read() == photo
        assert json.load(mapped)["options"]["hosts"] == {"shop.example": "127.0.0.1"}
    assert took < len(photo) / 8
