import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from wedsync_loadtest import environment

ROOT = Path(__file__).parents[2]
QUIET = {"WEDSYNC_EMBEDDED": "1", "WEDSYNC_SECRET_KEY": "only-for-tests"}


def settings_under(
    words: dict[str, str],
    code: str = "from wedsync_loadtest import settings as s; print(s.WEDSYNC_TARGET_NETWORKS)",
) -> subprocess.CompletedProcess[str]:
    """What a process of ours says of its settings in this environment."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("WEDSYNC_", "DJANGO_"))}
    settings = {"DJANGO_SETTINGS_MODULE": "wedsync_loadtest.settings"}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=inherited | settings | {k: v for k, v in words.items() if v},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"WEDSYNC_EMBEDDED": "", "WEDSYNC_CLOCK_OFFSET": "3600"}, "outside the embedded stack"),
        ({"WEDSYNC_ZONES": "Europe/Lodnon"}, "no time zone"),
        ({"WEDSYNC_TARGET_NETWORKS": "10.0.0.1/8"}, "host bits"),
        ({"WEDSYNC_SECRET_KEY": ""}, "Set WEDSYNC_SECRET_KEY"),
    ],
)
def test_no_process_starts_with_settings_that_endanger_a_wedding(
    words: dict[str, str], said: str
) -> None:
    done = settings_under(QUIET | words)
    assert done.returncode != 0
    assert said in done.stderr


def test_a_moved_clock_opens_this_machine_only() -> None:
    wide = QUIET | {"WEDSYNC_TARGET_NETWORKS": "10.0.0.0/8"}
    assert settings_under(wide).stdout == "['10.0.0.0/8']\n"
    moved = wide | {"WEDSYNC_CLOCK_OFFSET": "3600"}
    assert settings_under(moved).stdout == "['127.0.0.0/8', '::1/128']\n"


def test_without_a_url_the_data_folder_holds_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    found = environment.database("DATABASE_URL", default=Path("/data #1/wedsync.sqlite3"))
    assert found["NAME"] == Path("/data #1/wedsync.sqlite3")
    assert found["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_an_sqlite_file_that_is_named_queues_its_writers_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:////srv/wedsync.db?timeout=5")
    found = environment.database("DATABASE_URL", default=Path("unused"))
    assert (found["ENGINE"], found["NAME"]) == ("django.db.backends.sqlite3", "/srv/wedsync.db")
    assert found["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in found["OPTIONS"]["init_command"]
    assert found["OPTIONS"]["timeout"] == 5


def test_a_postgresql_server_is_named_by_its_url_or_by_a_file_that_holds_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql://ada:c%40nfetti@db.example:5433/wedsync?sslmode=require\n")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DATABASE_URL_FILE", str(secret))
    found = environment.database("DATABASE_URL", default=Path("unused"))
    assert found["ENGINE"] == "django.db.backends.postgresql"
    assert (found["USER"], found["PASSWORD"]) == ("ada", "c@nfetti")
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("db.example", 5433, "wedsync")
    assert found["OPTIONS"]["sslmode"] == "require"
    assert found["CONN_MAX_AGE"] == 0


def test_a_url_may_give_postgresql_other_options_and_another_patience(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = "-c%20idle_in_transaction_session_timeout%3D2s"
    monkeypatch.setenv("DATABASE_URL", f"postgresql://ada@db.example/wedsync?options={said}")
    found = environment.database("DATABASE_URL", default=Path("unused"))
    ours, theirs = ("-c idle_in_transaction_session_timeout=" + span for span in ("10s", "2s"))
    assert found["OPTIONS"]["options"] == f"{ours} {theirs}"


@pytest.mark.parametrize(
    "url",
    [
        "nonsense-confetti",
        "mysql://ada:confetti@localhost/wedsync",
        "postgresql://ada:confetti@localhost",
        "postgresql://ada:confetti@localhost:port/wedsync",
        "postgresql://ada:con/fetti@localhost/wedsync",
        "postgresql://ada:1/confetti@localhost/wedsync",
        "postgresql://ada:1?confetti@localhost/wedsync",
        "postgresql://ada:1#confetti@localhost/wedsync",
        "postgresql://[confetti/wedsync",
        "sqlite://:memory:",
        "sqlite://",
    ],
)
def test_a_url_that_names_no_database_is_refused_without_telling_a_word_of_it(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(ImproperlyConfigured, match="write postgresql://USER:PASSWORD@") as refusal:
        environment.database("DATABASE_URL", default=Path("unused"))
    assert "fetti" not in str(refusal.value)
    assert refusal.value.__context__ is None


def test_a_server_that_is_away_is_told_without_its_password() -> None:
    words = {"DATABASE_URL": "postgresql://ada:confetti@127.0.0.1:1/wedsync"}
    done = settings_under(QUIET | words, "from django.db import connection; connection.cursor()")
    assert "connection to server at" in done.stderr
    assert "confetti" not in done.stderr


def test_how_long_seconds_are_kept_is_told_as_an_iso_duration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert environment.duration("WEDSYNC_KEEP_SECONDS", "P7D") == timedelta(days=7)
    monkeypatch.setenv("WEDSYNC_KEEP_SECONDS", "P14D")
    assert environment.duration("WEDSYNC_KEEP_SECONDS", "P7D") == timedelta(days=14)
    monkeypatch.setenv("WEDSYNC_KEEP_SECONDS", "a week")
    with pytest.raises(ImproperlyConfigured, match="WEDSYNC_KEEP_SECONDS: 'a week' is not an ISO"):
        environment.duration("WEDSYNC_KEEP_SECONDS", "P7D")
