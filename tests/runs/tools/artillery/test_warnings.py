from dataclasses import replace

import pytest

from runs.tools import Job
from runs.tools.artillery import Artillery
from tests.runs.tools.artillery.planning import PLAN, Planning
from tests.runs.tools.fake_shell import said

QUIET = {"name": "bells", "engine": "http", "quiet": True}


MISSPELT = {"name": "bell", "engine": "ws", "unknown": ["s", "sen"]}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"phases": [{"duration": 9, "arrivalRate": 1}]}, "no maxVusers"),
        ({"plugins": [], "ensure": {"p95": 9}}, "judges none of it"),
        (
            {"scenarios": [MISSPELT]},
            "“bell” has steps that Artillery's ws engine does not know: “s”",
        ),
        ({"scenarios": [QUIET, QUIET]}, "each user's session is counted as one request"),
        ({"scenarios": [QUIET, {"engine": "http"}]}, "“bells” makes no request that can be"),
        ({"artillery": "2.0.99"}, "Artillery 2.0.99; WedSync is tested with"),
        ({"node": "v20.20.2"}, "asks for Node 22.18"),
    ],
)
def test_what_a_person_should_know_is_a_warning(
    artillery: Artillery, job: Job, change: dict[str, object], words: str
) -> None:
    assert words in artillery.prepare(job, Planning(PLAN | change)).warnings[0]


def test_what_artillery_warns_of_while_it_plans_is_a_warning_once(
    artillery: Artillery, job: Job
) -> None:
    words = "Test run id: x\nWARNING: environment stagin is set but is not defined in the script\n"
    warned = "Artillery warns: environment stagin is set but is not defined in the script."
    assert artillery.prepare(job, Planning(PLAN, said(words, words))).warnings == (warned,)


def test_hooks_that_every_shard_runs_for_itself_are_a_warning(
    artillery: Artillery, job: Job
) -> None:
    plan = PLAN | {"hooks": ["before", "after"]}
    told = artillery.prepare(replace(job, shard=(1, 2)), Planning(plan)).warnings
    assert told == (
        "Each of the 2 shards runs the script's “before” and “after” once for itself: what is made "
        "there is made 2 times.",
    )
    assert artillery.prepare(job, Planning(plan)).warnings == ()
