"""The end of shards whose workers are gone, and of what those leave: processes and folders."""

import socket
from collections.abc import Collection, Iterable

from runs.host import living, workdir
from runs.models import Run, Shard, ShardSecond

AT_WORK = (Shard.State.PREPARING, Shard.State.READY, Shard.State.RUNNING)


def whereabouts(shards: Iterable[Shard]) -> tuple[list[Shard], list[str]]:
    """Those of this host, and the names of the other hosts."""
    here, named = socket.gethostname(), [shard for shard in shards if shard.host]
    return [shard for shard in named if shard.host == here], sorted(
        {shard.host for shard in named} - {here}
    )


def bury(run: Run) -> tuple[int | None, list[str]]:
    """End the shards of a run that is over: how many processes survived, and where else to look.

    None where nobody knows of one that ended by itself.
    """
    parts = list(Shard.objects.filter(run=run))
    gone = [part for part in parts if part.state in AT_WORK]
    here, elsewhere = whereabouts(gone)
    marks = [(shard.process_group, shard.process_born, shard.process_mark) for shard in here]
    left = sum(living.end_stranger(group, born, mark) for group, born, mark in marks if group)
    workdir.sweep()
    still = Shard.objects.filter(pk__in=[part.pk for part in gone]).filter(state__in=AT_WORK)
    proof = {} if left or elsewhere else {"processes_left": 0}
    still.update(state=Shard.State.ENDED, outcome="errored", why="It went silent.", **proof)
    Shard.objects.filter(run=run).update(setup=None)
    ShardSecond.objects.filter(shard__run=run).delete()
    ended = [part.processes_left for part in parts if part.worker and part not in gone]
    return total([left, *ended]), elsewhere


def total(left: Collection[int | None]) -> int | None:
    """Of processes that survived; one that nobody knows makes the whole unknown."""
    known = [number for number in left if number is not None]
    return sum(known) if len(known) == len(left) else None
