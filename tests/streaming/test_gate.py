import asyncio
import threading
from dataclasses import replace
from datetime import datetime, timedelta

from calendar_guard.rules import Blocker, Verdict
from streaming.gate import NO_ANSWER, Gate
from tests.streaming.conftest import MONDAY_WORDS, PROTECTED, SATURDAY, TUESDAY, Calendar


def gate_of(calendar: Calendar, **patience: float) -> Gate:
    return Gate(calendar.check, now=lambda: calendar.now, **({"every": 0.0} | patience))


async def test_streams_are_open_on_a_tuesday() -> None:
    view = await gate_of(Calendar()).look()
    assert not view.is_shut
    assert view.verdict["safe"] is True


async def test_streams_are_shut_on_a_saturday_and_say_until_when() -> None:
    calendar = Calendar()
    calendar.begin_saturday()
    view = await gate_of(calendar).look()
    assert view.is_shut
    assert view.verdict["reason"] == PROTECTED.reason
    assert view.verdict["next_safe_window"] == MONDAY_WORDS


async def test_the_buffer_before_a_saturday_and_a_wedding_leave_streams_open() -> None:
    wedding = Blocker("wedding", "wedding 7", TUESDAY, TUESDAY + timedelta(hours=8))
    for verdict, now in (
        (PROTECTED, SATURDAY - timedelta(minutes=5)),
        (replace(PROTECTED, blockers=(wedding,)), TUESDAY + timedelta(hours=1)),
    ):
        assert not (await gate_of(Calendar(verdict, now)).look()).is_shut


async def test_the_calendar_is_asked_once_a_second_however_many_look() -> None:
    calendar = Calendar()
    gate = gate_of(calendar, every=60.0)
    await asyncio.gather(*(gate.look() for _ in range(50)))
    await gate.look()
    assert calendar.asked == 1


async def test_a_calendar_that_never_answered_keeps_streams_shut() -> None:
    view = await gate_of(Calendar(problem=RuntimeError("no database"))).look()
    assert view.is_shut
    assert view.verdict["reason"] == NO_ANSWER
    assert view.verdict["safe"] is False


async def test_a_failure_is_forgiven_while_the_last_answer_is_fresh() -> None:
    calendar = Calendar()
    gate = gate_of(calendar)
    assert not (await gate.look()).is_shut
    calendar.problem = RuntimeError("no database")
    assert not (await gate.look()).is_shut


async def test_a_calendar_that_hangs_shuts_the_streams_after_its_patience() -> None:
    answer = threading.Event()
    calendar = Calendar()

    def check(now: datetime) -> Verdict:
        if calendar.asked:
            answer.wait(10)
        return calendar.check(now)

    gate = Gate(check, now=lambda: TUESDAY, every=0.0, patience=1.0)
    assert not (await gate.look()).is_shut
    shut = asyncio.get_running_loop().create_future()
    gate.watch(shut.set_result)
    try:
        assert (await asyncio.wait_for(shut, 5))["reason"] == NO_ANSWER
    finally:
        answer.set()
    await gate.aclose()


async def test_who_no_longer_watches_is_not_called() -> None:
    calendar = Calendar()
    gate = gate_of(calendar, every=0.01)
    gone, here = asyncio.Event(), asyncio.get_running_loop().create_future()

    def never(_: object) -> None:
        gone.set()

    gate.watch(never)
    gate.watch(here.set_result)
    gate.unwatch(never)
    calendar.begin_saturday()
    await asyncio.wait_for(here, 5)
    assert not gone.is_set()
    await gate.aclose()
