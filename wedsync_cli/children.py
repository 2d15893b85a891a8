"""Each stack as data: which processes, in which order, how one knows that they are there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

HOST = "127.0.0.1"
# Workers end first and take their tools along, so that the web can still tell readers how their
# run ended; then the web; then what both lean on. Each stage has its time before it is killed.
STOP_STAGES = (timedelta(seconds=3.4), timedelta(seconds=0.7), timedelta(seconds=0.6))
# The stack keeps its data in its folder, whatever database the person's shell was set up for.
_NOT_OURS = {"PYTHONPATH", "WEDSYNC_SECRET_KEY", "DATABASE_URL", "DATABASE_URL_FILE"}
STACK = "WEDSYNC_STACK"  # marks every process of a stack, whatever session it is in


@dataclass(frozen=True)
class PortOpen:
    """Ready when something accepts connections on this loopback port."""

    port: int


@dataclass(frozen=True)
class LogSays:
    """Ready when the child's log holds this text."""

    text: str


Ready = PortOpen | LogSays


@dataclass(frozen=True)
class Child:
    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    ready: Ready
    patience: timedelta = timedelta(seconds=40)
    stop_stage: int = 0
    """An index of STOP_STAGES."""


@dataclass(frozen=True)
class BackOff:
    """How long to wait before a dead child is started again."""

    first: timedelta = timedelta(seconds=0.5)
    longest: timedelta = timedelta(seconds=10)
    calm: timedelta = timedelta(seconds=30)

    def delay(self, failures: int) -> timedelta:
        doubled = self.first * (1 << min(failures - 1, 20))
        return min(doubled, self.longest)

    def count(self, failures: int, lived: timedelta) -> int:
        """Failures in a row, after one more death of a child that lived this long."""
        return 1 if lived >= self.calm else failures + 1


@dataclass(frozen=True)
class Place:
    """Where a stack runs and what it was given."""

    root: Path
    python: Path
    data: Path
    stack_id: str
    port: int
    valkey_port: int
    valkey: Path
    valkey_password: str = field(repr=False)
    offset_s: int = 0
    k6: Path | None = None
    locust: Path | None = None
    artillery: Path | None = None
    guest_port: int | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def valkey_config(self) -> Path:
        return self.data / "valkey.conf"


def environment(place: Place, base: Mapping[str, str]) -> dict[str, str]:
    """What every process of the stack sees, over the person's own environment."""
    ours = {
        STACK: place.stack_id,
        "WEDSYNC_VALKEY_URL": f"redis://:{place.valkey_password}@{HOST}:{place.valkey_port}/0",
        "WEDSYNC_CLOCK_OFFSET": str(place.offset_s),
    }
    tools = {
        "WEDSYNC_K6": place.k6,
        "WEDSYNC_LOCUST": place.locust,
        "WEDSYNC_ARTILLERY": place.artillery,
    }
    present = {name: str(path) for name, path in tools.items() if path}
    return data_environment(place.data, base) | ours | present


def data_environment(data: Path, base: Mapping[str, str]) -> dict[str, str]:
    """What a manage.py command needs that only reads and writes the data folder."""
    inherited = {name: value for name, value in base.items() if name not in _NOT_OURS}
    return inherited | {
        "DJANGO_SETTINGS_MODULE": "wedsync_loadtest.settings",
        "PYTHONUNBUFFERED": "1",
        "WEDSYNC_EMBEDDED": "1",
        "WEDSYNC_DATA": str(data),
        "WEDSYNC_SECRET_KEY_FILE": str(data / "secret_key"),
    }


def valkey(place: Place, env: Mapping[str, str]) -> Child:
    options = {
        "--bind": HOST,
        "--port": str(place.valkey_port),
        "--save": "",
        "--appendonly": "no",
        "--maxmemory": "256mb",
        "--maxmemory-policy": "noeviction",
        "--dir": str(place.data),
    }
    # A command line is everybody's to read, and a script may reach this port.
    argv = (
        *(str(place.valkey), str(place.valkey_config)),
        *(word for pair in options.items() for word in pair),
    )
    return Child("valkey", argv, env, ready=PortOpen(place.valkey_port), stop_stage=2)


def services(place: Place, env: Mapping[str, str]) -> tuple[Child, ...]:
    """Started together once Valkey answers and the data is ready; the guest site in the demo."""
    schedule = ("--beat", "--schedule", str(place.data / "beat-schedule"))
    rest = (
        _worker("runs", place, env, queue="run", threads=4),
        # Beat inside this worker: one Python less to wait for.
        _worker("tasks", place, env, *schedule, queue="celery", threads=4),
        Child(
            "web",
            (str(place.python), "manage.py", "serve", "--port", str(place.port)),
            env,
            ready=PortOpen(place.port),
            stop_stage=1,
        ),
    )
    return rest if place.guest_port is None else (*rest, _guest_site(place, env, place.guest_port))


def _worker(
    name: str, place: Place, env: Mapping[str, str], *more: str, queue: str, threads: int
) -> Child:
    options = ("-Q", queue, "-P", "threads", "-c", str(threads), "-n", f"{name}@%h")
    quiet = ("--without-gossip", "--without-mingle", "--loglevel=INFO")
    argv = (
        str(place.python),
        "-m",
        "celery",
        "-A",
        "wedsync_loadtest",
        "worker",
        *options,
        *quiet,
        *more,
    )
    return Child(name, argv, env, ready=LogSays(" ready."))


def _guest_site(place: Place, env: Mapping[str, str], port: int) -> Child:
    serve = ("-m", "daphne", "-v", "0", "-b", HOST, "-p", str(port), "examples.guest_site:app")
    return Child("guest-site", (str(place.python), *serve), env, ready=PortOpen(port), stop_stage=2)
