from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runs import belongings
from runs.tools import ToolProblem
from runs.tools.k6 import K6
from tests.runs.tools.fake_shell import executable, job_in
from tests.runs.tools.k6.shell import PLAN, shell_of


def test_the_script_is_archived_once_and_the_archive_is_what_is_judged_and_run(
    k6: K6, tmp_path: Path
) -> None:
    shell, job = shell_of(), job_in(tmp_path)
    prepared = k6.prepare(job, shell)
    command = k6.command(job, samples_fd=5, go_fd=6)
    archive = str(tmp_path / "wedsync-archive.tar")
    assert (prepared.version, prepared.worst_case) == ("1.8.1", timedelta(seconds=35 + 2 * 60))
    assert prepared.warnings == ()
    assert [argv[1] for argv, _ in shell.asked] == ["version", "archive", "inspect"]
    assert shell.asked[1][0][-3:] == ["-O", archive, str(job.script)]
    assert shell.asked[2][0][-1] == command.argv[-1] == archive
    assert command.argv[-3:-1] == ["--out", "json=/dev/fd/5"]


def test_target_and_users_reach_archive_inspect_and_run_alike(k6: K6, tmp_path: Path) -> None:
    shell, job = shell_of(), job_in(tmp_path, users=20)
    k6.prepare(job, shell)
    run = k6.command(job, samples_fd=5, go_fd=6).argv
    for argv in (shell.asked[1][0], shell.asked[2][0], run):
        given = [value for flag, value in zip(argv, argv[1:], strict=False) if flag == "-e"]
        assert given == ["TARGET=http://site.example", "USERS=20"]
    assert not {"-u", "--vus", "-d", "--duration", "--tag"} & set(run)


def test_variables_go_by_name_and_secrets_by_the_environment_alone(k6: K6, tmp_path: Path) -> None:
    words: dict[str, Any] = {
        "variables": {"GUESTS": "200"},
        "secrets": {"TOKEN": "hush-hush"},
    }
    shell, job = shell_of(), job_in(tmp_path, **words)
    k6.prepare(job, shell)
    command = k6.command(job, samples_fd=5, go_fd=6)
    for argv, env in (*shell.asked[1:], (command.argv, command.env)):
        assert "GUESTS=200" in argv
        assert "--include-system-env-vars=true" in argv
        assert "hush" not in " ".join(argv)
        assert env["TOKEN"] == "hush-hush"
    assert "--exclude-env-vars" in shell.asked[1][0]
    assert "hush" not in repr(command) + repr(job)


@pytest.mark.parametrize(
    ("thresholds", "by_hand", "more"),
    [
        ({}, None, []),
        ({"http_req_duration{url:http://site.example/rsvp}": ["p(95)<500"]}, None, ["url"]),
        ({"http_reqs{name:rsvp, 'proto':HTTP/2.0}": ["count>0"]}, None, ["proto"]),
        ({"http_reqs{ip:127.0.0.1}": ["count>0"]}, ["ip", "status", "url"], ["ip"]),
        ({"http_reqs{url:http://site.example/}": ["count>0"]}, ["status"], []),
        ({"http_reqs{ip:127.0.0.1,mine:yes}": ["count>0"]}, None, []),
    ],
)
def test_a_threshold_finds_the_tags_of_k6_that_it_finds_by_hand(
    k6: K6, tmp_path: Path, thresholds: object, by_hand: list[str] | None, more: list[str]
) -> None:
    job = job_in(tmp_path)
    k6.prepare(job, shell_of(plan=PLAN | {"thresholds": thresholds, "systemTags": by_hand}))
    argv = k6.command(job, samples_fd=5, go_fd=6).argv
    tags = argv[argv.index("--system-tags") + 1].split(",")
    assert [tag for tag in tags if tag in {"url", "proto", "ip", "mine"}] == more
    assert {"status", "name", "expected_response"} <= set(tags)


def test_no_file_of_a_run_is_taken_for_one_of_k6s_own(
    k6: K6, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "k6.json").write_text("{}")
    monkeypatch.setenv("WEDSYNC_K6_CONFIG", str(tmp_path / "k6.json"))
    job = job_in(tmp_path)
    k6.prepare(job, shell_of())
    argv = k6.command(job, samples_fd=5, go_fd=6).argv
    assert {path.name for path in tmp_path.iterdir()} >= {"wedsync-inspect.json"}
    files = [Path(word).name for word in argv if word.startswith(f"{tmp_path}/")]
    assert len(files) == 4, files  # k6 itself, its config, its summary, the archive
    assert all(name.startswith(belongings.OURS) for name in (*files[1:], K6.script_name))


def test_the_scripts_own_deny_list_is_kept_beside_ours(k6: K6, tmp_path: Path) -> None:
    job = job_in(tmp_path, deny=("192.168.0.0/16",))
    k6.prepare(job, shell_of())
    argv = k6.command(job, samples_fd=5, go_fd=6).argv
    denied = [
        value for flag, value in zip(argv, argv[1:], strict=False) if flag == "--blacklist-ip"
    ]
    assert denied == ["10.0.0.0/8", "192.168.0.0/16"]


def test_k6_inherits_nothing_but_the_path(
    k6: K6, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("K6_VUS", "500")
    monkeypatch.setenv("WEDSYNC_SECRET", "hush")
    shell, job = shell_of(), job_in(tmp_path)
    k6.prepare(job, shell)
    env = k6.command(job, samples_fd=5, go_fd=6).env
    assert all(asked | env == asked for _, asked in shell.asked)
    assert {name for _, asked in shell.asked for name in asked if name not in env} == {
        "HTTPS_PROXY"
    }
    assert {name for name in env if name.startswith("K6_")} == {
        "K6_NO_USAGE_REPORT",
        "K6_AUTO_EXTENSION_RESOLUTION",
        "K6_BROWSER_ARGS",
    }
    assert "WEDSYNC_SECRET" not in env
    assert env["HOME"] == str(tmp_path)


def test_a_configuration_file_is_used_for_archive_and_run(
    k6: K6, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "hosts.json"
    config.write_text('{"hosts": {}}')
    monkeypatch.setenv("WEDSYNC_K6_CONFIG", str(config))
    shell, job = shell_of(), job_in(tmp_path)
    k6.prepare(job, shell)
    for argv in (shell.asked[1][0], k6.command(job, samples_fd=5, go_fd=6).argv):
        copy = Path(argv[argv.index("--config") + 1])
        assert copy.parent == job.workdir
        assert copy.read_text() == config.read_text()


def test_a_configuration_that_cannot_be_read_is_named(
    k6: K6, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEDSYNC_K6_CONFIG", "/nowhere/k6.json")
    with pytest.raises(ToolProblem, match=r"/nowhere/k6\.json, which cannot be read"):
        k6.prepare(job_in(tmp_path), shell_of())


def test_k6_is_found_in_the_cache_of_wedsync_tools(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WEDSYNC_K6", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(ToolProblem, match="wedsync tools"):
        K6().find()
    (tmp_path / "cache/wedsync/k6-1.8.1").mkdir(parents=True)
    cached = executable(tmp_path / "cache/wedsync/k6-1.8.1/k6")
    assert K6().find() == cached
    on_path = executable(tmp_path / "k6")
    assert K6().find() == on_path


@pytest.mark.parametrize("spoilt", ["no", "[]", '{"systemTags": 5}', '{"thresholds": ["p"]}'])
def test_a_plan_that_the_script_wrote_over_is_refused_in_words(
    k6: K6, tmp_path: Path, spoilt: str
) -> None:
    job = job_in(tmp_path)
    k6.prepare(job, shell_of())
    (tmp_path / "wedsync-inspect.json").write_text(spoilt)
    with pytest.raises(ToolProblem, match="wrote over wedsync-inspect.json"):
        k6.command(job, samples_fd=5, go_fd=6)
