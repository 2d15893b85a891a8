import io
import os
import shutil
import sys
from pathlib import Path

import pytest

from wedsync_cli import bootstrap, index
from wedsync_cli.say import Say
from wedsync_cli.words import BROKEN, Context, Problem

ROOT = Path(__file__).resolve().parents[2]
OWN = "django==5.2 \\\n    --hash=sha256:00\n"
DEV = OWN + "pytest==9.0 ; python_version > '3' \\\n    --hash=sha256:01\n"


@pytest.fixture
def installed(context: Context) -> Path:
    """An environment whose dev lock was installed."""
    (context.root / bootstrap.RUN_LOCK).write_text(OWN, encoding="utf-8")
    (context.root / bootstrap.DEV_LOCK).write_text(DEV, encoding="utf-8")
    venv = context.venv
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to(sys.executable)
    version = ".".join(str(n) for n in (*sys.version_info[:3], sys.platform))
    stamps = "\n".join(bootstrap.stamp(text, version) for text in (OWN, DEV))
    (venv / "wedsync-stamp").write_text(stamps, encoding="utf-8")
    return venv


def test_what_is_installed_is_not_installed_again(
    context: Context, installed: Path, out: io.StringIO
) -> None:
    bootstrap.ensure(context, venv=installed, lock=bootstrap.RUN_LOCK)
    bootstrap.ensure(context, venv=installed, lock=bootstrap.DEV_LOCK)

    assert out.getvalue() == ""


def test_a_changed_lock_or_a_vanished_python_is_not_ready(
    context: Context, installed: Path
) -> None:
    assert bootstrap.is_ready(context, venv=installed, lock=bootstrap.DEV_LOCK)

    (context.root / bootstrap.DEV_LOCK).write_text(DEV + "new==1 --hash=sha256:02\n")
    assert not bootstrap.is_ready(context, venv=installed, lock=bootstrap.DEV_LOCK)

    (installed / "bin" / "python").unlink()
    assert not bootstrap.is_ready(context, venv=installed, lock=bootstrap.RUN_LOCK)


def test_another_python_needs_another_installation() -> None:
    assert bootstrap.stamp(OWN, "3.11.7.linux") != bootstrap.stamp(OWN, "3.12.1.linux")


def test_the_dev_lock_holds_every_package_of_the_run_lock() -> None:
    own, dev = ((ROOT / name).read_text() for name in (bootstrap.RUN_LOCK, bootstrap.DEV_LOCK))

    assert bootstrap.pins(own) <= bootstrap.pins(dev)
    assert len(bootstrap.pins(own)) > 20


def test_uv_is_told_the_index_and_the_certificates_that_pip_was_told() -> None:
    env = {"PIP_INDEX_URL": "http://mirror/simple", "PIP_CERT": "/ca.pem", "SSL_CERT_FILE": "/own"}

    told = bootstrap.uv_environment(env)

    assert told["UV_DEFAULT_INDEX"] == "http://mirror/simple"
    assert told["SSL_CERT_FILE"] == "/own"


def test_without_a_network_the_failing_step_is_named_and_nothing_counts_as_done(
    tmp_path: Path, out: io.StringIO
) -> None:
    for name in (bootstrap.RUN_LOCK, bootstrap.DEV_LOCK):
        shutil.copy(ROOT / name, tmp_path)
    env = {**os.environ, "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}
    env = {**env, "PIP_NO_CACHE_DIR": "1", "PATH": "/nowhere"}
    context = Context(root=tmp_path, env=env, say=Say(out))

    with pytest.raises(Problem) as problem:
        bootstrap.ensure(context, venv=context.venv, lock=bootstrap.RUN_LOCK)

    assert problem.value.code == BROKEN
    assert "Python packages from requirements.lock (pip)' failed" in problem.value.what
    assert "127.0.0.1" in problem.value.why or "amqp" in problem.value.why
    assert "Check the network" in problem.value.then
    assert "failed" in out.getvalue()
    assert not bootstrap.is_ready(context, venv=context.venv, lock=bootstrap.RUN_LOCK)


PAGE = {
    "files": [
        {"filename": f"pip-{version}-py3-none-any.whl", "url": f"../{version}", "hashes": hashes}
        for version, hashes in (
            ("9.0.3", {"sha256": "a"}),
            ("25.10", {"sha256": "b"}),
            ("25.9", {"sha256": "c"}),
            ("26.1", {"sha256": "d"}),
            ("25.11", {}),
        )
    ]
    + [{"filename": "pip-25.12.tar.gz", "url": "x", "hashes": {"sha256": "e"}}]
}


def test_the_highest_wheel_up_to_the_pin_is_taken_wherever_the_page_lists_it() -> None:
    wheel = index.newest_wheel(PAGE, project="pip", at_most="25.99", base="http://mirror/pip/")

    assert wheel == index.Wheel("pip-25.10-py3-none-any.whl", "http://mirror/25.10", "b")


def test_a_yanked_wheel_is_never_taken() -> None:
    page = {"files": [{**PAGE["files"][0], "yanked": "broken"}]}

    assert index.newest_wheel(page, project="pip", at_most="99", base="http://mirror/") is None
