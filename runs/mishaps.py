"""What a run, or a shard of one, ends with where something went wrong."""

import logging
from typing import Protocol

from runs import process
from runs.outcome import Stop, fault_of_ours
from runs.persisting import AWAY, AWAY_ERRORS
from runs.request import Invalid
from runs.tools import ToolProblem

log = logging.getLogger(__name__)


class Record(Protocol):
    """Takes what is known of the tool."""

    log_tail: str
    exit_code: int | None
    processes_left: int | None


def stop_of(problem: Exception, record: Record, *, name: str) -> Stop:
    """`name` is what the log calls it by: there stands what nobody foresaw."""
    if isinstance(problem, process.Halted):
        return problem.stop
    if isinstance(problem, process.Survivors):
        record.processes_left = problem.left
    elif isinstance(problem, ToolProblem):
        record.log_tail = process.tail_of(record.log_tail, problem.output)
        record.exit_code = record.exit_code if problem.exit_code is None else problem.exit_code
    elif isinstance(problem, AWAY_ERRORS):
        log.error("%s had no database", name, exc_info=problem)
        return Stop(AWAY, "errored")
    elif not isinstance(problem, Invalid):
        log.error("%s broke", name, exc_info=problem)
        return fault_of_ours(name)
    return Stop(str(problem), "errored")
