import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from runs.tools import Job, ToolProblem
from runs.tools.artillery import Artillery
from tests.runs.tools.artillery.planning import PLAN, Planning
from tests.runs.tools.fake_shell import executable


def test_target_variables_and_environment_are_given_artillerys_own_way(
    artillery: Artillery, job: Job
) -> None:
    job = replace(job, users=20, variables={"season": "peak", "ARTILLERY_ENVIRONMENT": "staging"})
    argv = artillery.command(job, samples_fd=5, go_fd=6).argv
    assert argv[argv.index("--target") + 1] == "http://site.example"
    assert argv[argv.index("--environment") + 1] == "staging"
    given = json.loads(argv[argv.index("--variables") + 1])
    assert given == {"season": "peak", "TARGET": "http://site.example", "USERS": "20"}
    env = artillery.command(job, samples_fd=5, go_fd=6).env
    assert (env["season"], "ARTILLERY_ENVIRONMENT" in env) == ("peak", False)


def test_a_secret_is_in_the_environment_only_and_replaces_nothing_of_ours(
    artillery: Artillery, job: Job
) -> None:
    job = replace(job, secrets={"TOKEN": "s3cret", "NODE_OPTIONS": "--inspect", "PATH": "/evil"})
    command = artillery.command(job, samples_fd=5, go_fd=6)
    assert command.env["TOKEN"] == "s3cret"
    assert "s3cret" not in " ".join(command.argv)
    assert "preload.cjs" in command.env["NODE_OPTIONS"]
    assert "/evil" not in command.env["PATH"]


def test_artillery_inherits_nothing_but_the_path(
    artillery: Artillery, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARTILLERY_CLOUD_API_KEY", "key")
    env = artillery.command(job, samples_fd=5, go_fd=6).env
    assert "ARTILLERY_CLOUD_API_KEY" not in env
    assert env["ARTILLERY_DISABLE_TELEMETRY"] == "1"


def test_hosts_and_a_certificate_authority_reach_node(artillery: Artillery, job: Job) -> None:
    job = replace(job, hosts={"Shop.Example": "127.0.0.1:9000"}, ca=Path("/etc/ours/ca.pem"))
    env = artillery.command(job, samples_fd=5, go_fd=6).env
    assert json.loads(env["WEDSYNC_HOSTS"]) == {"shop.example": "127.0.0.1:9000"}
    assert env["NODE_EXTRA_CA_CERTS"] == "/etc/ours/ca.pem"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("config:\n  target: http://a\n", "script"),
        ('{"config": {}}', "script"),
        ("export const config = {};\n", "script.ts"),
        ("// a comment\nmodule.exports = {};\n", "script.ts"),
    ],
)
def test_a_module_is_given_the_name_by_which_artillery_knows_one(
    artillery: Artillery, job: Job, text: str, name: str
) -> None:
    job.script.write_text(text)
    artillery.prepare(job, Planning(PLAN))
    assert artillery.command(job, samples_fd=5, go_fd=6).argv[-1] == str(job.workdir / name)
    assert (job.workdir / name).read_text() == text


def test_go_is_one_byte(artillery: Artillery, job: Job) -> None:
    reading, writing = os.pipe()
    artillery.go(job, writing)
    assert os.read(reading, 10) == b"g"
    os.close(reading)
    with pytest.raises(ToolProblem, match="ended before"):
        artillery.go(job, writing)
    os.close(writing)


def test_our_own_artillery_comes_before_the_one_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WEDSYNC_ARTILLERY", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolProblem, match="nor on PATH"):
        Artillery().find()
    on_path = executable(tmp_path / "artillery")
    assert Artillery().find() == on_path
    entry = tmp_path / "cache/wedsync/artillery-2.0.34/node_modules/artillery/bin/run"
    entry.parent.mkdir(parents=True)
    executable(entry)
    assert Artillery().find() == entry


def test_artillery_without_node_says_what_is_missing(
    artillery: Artillery, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ToolProblem, match=r"needs Node\.js.*wedsync tools"):
        artillery.prepare(job, Planning(PLAN))
