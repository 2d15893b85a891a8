"""Real processes on the database in use: two workers that end their runs at once, and others."""

from contextlib import ExitStack

import pytest

from audit import services as audit
from runs.models import OPEN, Run, State
from tests.calendar_guard.test_racing import PATIENCE_S, Racer
from tests.runs.racer import EACH
from tests.waiting import until

ROLES = ("start", "start", "drive", "drive", "stop", "hold")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("valkey", "quiet_tuesday", "engineer")
@pytest.mark.timeout(2 * PATIENCE_S)
@pytest.mark.bulk
def test_finishers_starters_and_stoppers_that_race_let_in_one_at_a_time_and_forget_none() -> None:
    with ExitStack() as stack:
        racers = [Racer(role, "tests.runs.racer") for role in ROLES]
        for racer in racers:
            stack.callback(racer.close)
        for racer in racers:
            racer.wait_until_ready()
        for racer in racers:
            racer.go()
        for racer in racers[:2]:
            racer.granted()
        until(
            lambda: not Run.objects.filter(state__in=OPEN).exists(),
            within=PATIENCE_S,
            what="the end of every run",
        )
        for racer in racers[2:]:
            racer.finish()

    ended = list(Run.objects.values_list("state", flat=True))
    assert len(ended) == 2 * EACH
    assert set(ended) <= {State.PASSED, State.ABORTED}
    assert ended.count(State.PASSED) > EACH
    assert audit.verify().broken is None
