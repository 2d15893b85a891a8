import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from wedsync_cli import artillery
from wedsync_cli.words import Context, Problem

FOLDER = Path("artillery-2.0.34")
ENTRY = FOLDER / "node_modules/artillery/bin/run"
NODE = """#!/bin/sh
echo v24.19.0
"""
NPM = """#!/bin/sh
echo "$@" >> "$HOME/npm-was-asked"
mkdir -p node_modules/artillery/bin
printf '#!/usr/bin/env node\\n' > node_modules/artillery/bin/run
chmod 755 node_modules/artillery/bin/run
"""


def _program(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def with_npm(context: Context, tmp_path: Path) -> Context:
    _program(tmp_path / "bin/node", NODE)
    _program(tmp_path / "bin/npm", NPM)
    path = f"{tmp_path / 'bin'}:/usr/bin:/bin"
    cache = str(tmp_path / "cache")
    return replace(context, env={"HOME": str(tmp_path), "PATH": path, "XDG_CACHE_HOME": cache})


def test_artillery_is_taken_from_its_variable_then_our_cache_then_path(tmp_path: Path) -> None:
    env = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PATH": str(tmp_path / "bin")}
    assert artillery.find(env) is None
    on_path = _program(tmp_path / "bin/artillery")
    assert artillery.find(env) == on_path
    cached = _program(tmp_path / "cache/wedsync" / ENTRY)
    assert artillery.find(env) == cached
    named = _program(tmp_path / "mine")
    assert artillery.find({**env, "WEDSYNC_ARTILLERY": str(named)}) == named


def test_a_wrong_wedsync_artillery_is_told_and_not_passed_over() -> None:
    with pytest.raises(Problem, match="WEDSYNC_ARTILLERY names /no/artillery"):
        artillery.find({"WEDSYNC_ARTILLERY": "/no/artillery"})


def test_what_root_installs_can_be_read_by_the_user_who_runs_it(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path)}
    tmp_path.chmod(0o700)
    assert artillery.cache_home(env, is_root=True) == Path("/var/cache/wedsync")
    assert artillery.cache_home(env, is_root=False) == tmp_path / ".cache/wedsync"
    tmp_path.chmod(0o755)
    assert artillery.cache_home(env, is_root=True) == tmp_path / ".cache/wedsync"
    named = {**env, "XDG_CACHE_HOME": "/c"}
    assert artillery.cache_home(named, is_root=True) == Path("/c/wedsync")


def test_artillery_is_installed_once_from_our_lock(with_npm: Context, tmp_path: Path) -> None:
    entry = artillery.ensure(with_npm)
    assert entry == tmp_path / "cache/wedsync" / ENTRY
    assert artillery.ensure(with_npm) == artillery.find(with_npm.env) == entry
    asked = (tmp_path / "npm-was-asked").read_text().splitlines()
    assert asked == ["ci --ignore-scripts --no-audit --no-fund"]
    node = tmp_path / "cache/wedsync" / FOLDER / "bin/node"
    assert node.resolve() == tmp_path / "bin/node"
    assert sorted(os.listdir(tmp_path / "cache/wedsync")) == [FOLDER.name]


def test_another_lock_installs_it_again(with_npm: Context, tmp_path: Path) -> None:
    artillery.ensure(with_npm)
    (tmp_path / "cache/wedsync" / FOLDER / "package-lock.json").write_text("{}")
    artillery.ensure(with_npm)
    assert len((tmp_path / "npm-was-asked").read_text().splitlines()) == 2
    assert artillery.is_locked(tmp_path / "cache/wedsync" / FOLDER)


def test_an_install_that_fails_leaves_nothing_and_says_why(
    with_npm: Context, tmp_path: Path
) -> None:
    _program(tmp_path / "bin/npm", "#!/bin/sh\necho 'ENOTFOUND registry' >&2\nexit 1\n")
    with pytest.raises(Problem, match="could not be installed") as caught:
        artillery.ensure(with_npm)
    assert "ENOTFOUND registry" in str(caught.value)
    assert artillery.find(with_npm.env) is None
    assert os.listdir(tmp_path / "cache/wedsync") == []


@pytest.mark.parametrize(
    ("version", "enough"),
    [("v22.18.0", True), ("v24.0.0", True), ("v22.17.9", False), ("v20.20.2", False), ("", False)],
)
def test_node_must_be_new_enough(version: str, enough: bool) -> None:
    assert artillery.new_enough(version) is enough


def test_the_lock_names_no_registry_and_the_hash_of_every_package() -> None:
    lock = json.loads((Path(artillery.__file__).parent / "npm/package-lock.json").read_text())
    packages = [words for path, words in lock["packages"].items() if path]
    assert len(packages) > 400
    assert all("resolved" not in words for words in packages)
    assert all(words["integrity"].startswith("sha512-") for words in packages)
    assert lock["packages"]["node_modules/artillery"]["version"] == artillery.VERSION
