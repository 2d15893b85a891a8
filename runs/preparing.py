"""From a run to its tool's job: files, secrets, names and fence, judged before any request."""

import contextlib
import errno
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from runs import belongings, process, targets, vault
from runs.fencing import fence, kernel, places, safeguards
from runs.fencing.fence import Fence
from runs.fencing.networks import Network, complement, overlap, read_networks
from runs.fencing.places import Place
from runs.host import ports
from runs.host.identity import Identity
from runs.host.workdir import disk_problem
from runs.models import Run, Target
from runs.outcome import Stop
from runs.redaction import Redactor
from runs.request import Invalid
from runs.targets import Load
from runs.tools import Finished, Job, OwnVerdict, Prepared, Shell, Tool, ToolProblem
from runs.tools.surroundings import put
from runs.words import count, span

_LOOPBACK = read_networks(["127.0.0.0/8", "::1/128"])
_CA = "wedsync-ca.pem"


@dataclass(frozen=True, slots=True)
class Ready:
    """A job that may be run, and how its tool is kept in: without a fence, by its own deny list."""

    job: Job
    fence: Fence | None
    redactor: Redactor
    plan: dict[str, Any]
    notes: str
    version: str

    def own_verdicts(self, tool: Tool) -> list[OwnVerdict]:
        """What the tool said of the script's own thresholds, without the run's secrets."""
        said = tool.own_verdicts(self.job)
        return [replace(each, text=self.redactor.text(each.text)) for each in said]


@dataclass(frozen=True, slots=True)
class _Reach:
    """All that a run names (host, port, where it really is), and the targets that allow it."""

    named: tuple[tuple[str, int, Place], ...]
    mapped: Mapping[tuple[str, int | None], Place]
    allowed: tuple[Target, ...]
    rows: tuple[Target, ...]
    outer: tuple[Network, ...]

    @property
    def networks(self) -> tuple[Network, ...]:
        """What a tool may reach that only knows networks: the very addresses that are named.

        A target's own networks may hold addresses that another target closes or limits.
        """
        places = (*(place for _, _, place in self.named), *self.mapped.values())
        exact = [ip_network(address) for place in places for address in place.addresses]
        return overlap(dict.fromkeys(exact), self.outer)


def prepare(
    run: Run,
    tool: Tool,
    who: Identity,
    workdir: Path,
    *,
    shard: int = 0,
    why_stop: Callable[[], Stop | None] = lambda: None,
) -> Ready:
    """Write the work directory and let the tool judge its script.

    It has no network meanwhile; where the kernel gives no network of its own to a tool that needs
    one for that, only a run that the calendar allows comes so far.

    `shard` is the one (from 0) that this worker carries of the run's. `why_stop` is asked while the
    tool judges.

    Raises ToolProblem or Invalid, each with a sentence, and Halted where there is a reason to stop.
    """
    belongings.check(run.request, tool)
    reach = _reach(run)
    redactor = Redactor((values := vault.read(run.secrets)).values())
    can_fence = kernel.can_fence(who)
    if run.is_dry and not (can_fence or tool.is_steered_from_outside):
        raise _open_rehearsal(tool)
    is_apart = can_fence and not tool.is_steered_from_outside
    with _told_without_secrets(redactor):
        try:
            job = _job(run, tool, workdir, reach, is_apart, values, shard)
            run_in = partial(
                process.run, who=who, cwd=workdir, has_network=not can_fence, why_stop=why_stop
            )
            prepared = tool.prepare(job, _shell(run_in, redactor))
        except OSError as error:
            raise disk_problem(error) from error
        reach = _also(reach, prepared.hosts)
        load = Load(run.duration, _most(run.users, prepared.peak_users), prepared.peak_rate)
        targets.judge_load(reach.allowed, load)
    around = fence.around(reach.named, reach.mapped) if is_apart else None
    job = replace(job, deny=_denied(reach, around), allow=_allowed(reach))
    enforced = safeguards.sentences(tool, who, around, reach.networks, reach.allowed, load)
    plan = _plan(run, prepared, enforced, redactor)
    notes = "".join(f"{text}\n" for text in (who.why, *plan["warnings"]) if text)
    return Ready(job, around, redactor, plan, notes, prepared.version)


def forecast(run: Run, plan: Mapping[str, Any]) -> str:
    """What a dry run says: what a real one would do."""
    users = f" with up to {count(plan['peak_users'])} users" if plan["peak_users"] else ""
    rate = f" and {plan['peak_rate']:g} arrivals a second" if plan["peak_rate"] else ""
    worst = span(min(timedelta(seconds=plan["worst_case_s"]), run.duration))
    until = "" if plan["bounded"] else ", the hard stop, as the script itself knows no end"
    return f"Nothing was sent. It would load {run.target}{users}{rate} for {worst} at most{until}."


def _open_rehearsal(tool: Tool) -> ToolProblem:
    return ToolProblem(
        f"This worker cannot rehearse a script of {tool.name}: loading it runs its code, and the "
        "kernel here gives no network of its own to a tool, so the script could send requests "
        "that the wedding calendar never allowed. Let the worker make namespaces (in a "
        "container: CAP_SYS_ADMIN, or user namespaces allowed), or rehearse on another worker.",
        code="no_own_network",
    )


def _reach(run: Run) -> _Reach:
    rows, outer = tuple(Target.objects.all()), targets.outer_networks()
    mapped = places.mapped(run.hosts)
    host, port = places.read_target(run.target)
    named = ((host, port, places.locate(run.target, run.hosts)),)
    allowed = [
        one
        for place in (named[0][2], *mapped.values())
        for one in targets.judge_place(place, rows, outer)
    ]
    return _Reach(named, mapped, tuple(dict.fromkeys(allowed)), rows, outer)


def _also(reach: _Reach, hosts: Iterable[str]) -> _Reach:
    """With what the plan of the script names; refused where one of those is not allowed."""
    for host, port in places.read_named(hosts):
        if (host, port) in reach.mapped or (host, None) in reach.mapped:
            continue
        place = Place(host, port, places.resolve(host))
        allowed = targets.judge_place(place, reach.rows, reach.outer)
        reach = replace(
            reach,
            named=(*reach.named, (host, port, place)),
            allowed=tuple(dict.fromkeys((*reach.allowed, *allowed))),
        )
    return reach


def _denied(reach: _Reach, around: Fence | None) -> tuple[str, ...]:
    """What the tool itself refuses; behind a fence that is all but the doors and itself."""
    if around is None:
        return complement(reach.networks)
    inside = read_networks(door.inside[0] for door in around.doors)
    return complement((*_LOOPBACK, *inside))


def _allowed(reach: _Reach) -> tuple[str, ...]:
    names = [host for host, _, _ in reach.named] + [name for name, _ in reach.mapped]
    return tuple(dict.fromkeys((*names, *map(str, reach.networks))))


def _job(
    run: Run,
    tool: Tool,
    workdir: Path,
    reach: _Reach,
    is_apart: bool,
    values: Mapping[str, str],
    shard: int,
) -> Job:
    """A tool behind a fence finds mapped names there; the others must map them themselves."""
    files = belongings.files_of(run.files)
    for path, content in files.items():
        put(workdir, path, content)
    script = put(workdir, tool.script_name, run.script.encode())
    ca = put(workdir, _CA, run.ca.encode()) if run.ca else None
    return Job(
        run_id=str(run.pk),
        script=script,
        workdir=workdir,
        target=run.target,
        duration=run.duration,
        users=run.users,
        port=ports.free(),
        deny=complement(reach.networks),
        variables=run.variables,
        secrets=values,
        hosts={} if is_apart else _addresses(reach.mapped),
        ca=ca,
        shard=(shard, run.shards),
    )


def _addresses(mapped: Mapping[tuple[str, int | None], Place]) -> dict[str, str]:
    """The map of hosts with nothing left to be resolved: {"shop.example": "10.0.0.7:9000"}."""
    found = {}
    for (name, port), place in mapped.items():
        address = place.addresses[0]
        text = f"[{address}]" if address.version == 6 and place.port else str(address)
        found[f"{name}:{port}" if port else name] = f"{text}:{place.port}" if place.port else text
    return found


def _shell(run: Shell, redactor: Redactor) -> Shell:
    def said(argv: list[str], env: Mapping[str, str], timeout_s: float) -> Finished:
        done = redactor.finished(run(argv, env, timeout_s))
        if done.code and os.strerror(errno.ENOSPC).lower() in done.stderr.lower():
            raise disk_problem(OSError(errno.ENOSPC, ""))
        return done

    return said


@contextlib.contextmanager
def _told_without_secrets(redactor: Redactor) -> Iterator[None]:
    """A refusal may quote the script, which the run's secrets are in once its tool has read it."""
    try:
        yield
    except (ToolProblem, Invalid) as problem:
        problem.args = (redactor.text(str(problem)),)
        if isinstance(problem, ToolProblem):
            problem.output = redactor.text(problem.output)
        raise


def _plan(
    run: Run, prepared: Prepared, enforced: tuple[str, ...], redactor: Redactor
) -> dict[str, Any]:
    worst = prepared.worst_case or run.duration
    return {
        "nominal_s": prepared.nominal and prepared.nominal.total_seconds(),
        "worst_case_s": worst.total_seconds(),
        "bounded": prepared.is_bounded,
        "peak_users": prepared.peak_users,
        "peak_rate": prepared.peak_rate,
        "hosts": [redactor.text(host) for host in prepared.hosts],
        "thresholds": [redactor.text(own) for own in prepared.thresholds],
        "warnings": [redactor.text(warning) for warning in prepared.warnings],
        "digest": prepared.digest,
        "enforced": [redactor.text(sentence) for sentence in enforced],
    }


def _most(*numbers: int | None) -> int | None:
    return max((number for number in numbers if number is not None), default=None)
