import os
import subprocess
from pathlib import Path

import pytest

from wedsync_cli.main import VERBS, main

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["tset"], "There is no ./wedsync tset. Did you mean test?"),
        (["up", "--port", "high"], "--port takes a number from 1 to 65535, not 'high'."),
        (["up", "--port", "0"], "--port takes a number from 1 to 65535, not '0'."),
        (["up", "--at", "2026-06-10T10:00:00"], "--at takes an instant with its offset"),
        (["demo", "--tool", "ab"], "argument --tool: invalid choice: 'ab'"),
        (["token", "--frob"], "unrecognized arguments: --frob."),
        (["bench"], "the following arguments are required: NAME."),
        (["bench", "no-such"], "There is no bench/no-such.py."),
    ],
)
def test_wrong_usage_ends_with_64_and_a_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 64
    assert sentence.lower() in capsys.readouterr().err.lower()


def test_an_unknown_verb_is_answered_with_the_known_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["fly"])

    verbs = "demo, up, run, test, check, tools, bench, token, manage"
    assert f"Verbs: {verbs}" in capsys.readouterr().err


def test_no_verb_at_all_shows_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 64

    shown = capsys.readouterr().out
    assert all(verb.NAME in shown for verb in VERBS)


def test_the_version_is_the_projects(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])

    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert end.value.code == 0
    said = capsys.readouterr().out.removeprefix("WedSync ").strip()
    assert f'\nversion = "{said}"\n' in project


def test_the_launcher_hands_over_from_any_folder(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong module was imported')")

    done = subprocess.run([ROOT / "wedsync", "fly"], cwd=tmp_path, capture_output=True, text=True)

    assert (done.returncode, done.stderr.splitlines()[0]) == (64, "There is no ./wedsync fly.")


def test_without_a_python_the_launcher_says_so_in_one_sentence(tmp_path: Path) -> None:
    for name in ("dirname", "pwd"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    env = {**os.environ, "PATH": str(tmp_path)}

    done = subprocess.run(
        ["/bin/sh", ROOT / "wedsync", "up"], env=env, capture_output=True, text=True
    )

    assert done.returncode == 4
    assert done.stderr.startswith("WedSync needs Python 3.11 or newer")
