import threading

import pytest

from clock import real_now
from runs.fanout import Listener, Told, Undeliverable, keep_in
from tests.streaming.conftest import update
from tests.waiting import until


def told(seq: int, *, final: bool = True) -> Told:
    return Told(update(seq, final=final), real_now())


class Flaky:
    """Takes updates only while it is up."""

    def __init__(self) -> None:
        self.up = threading.Event()
        self.asked = 0
        self.taken: list[int] = []

    def __call__(self, told: Told) -> None:
        self.asked += 1
        if not self.up.is_set():
            raise ConnectionError("away")
        self.taken.append(told.update.seq)


def test_a_listener_that_was_away_gets_every_final_second_when_it_is_back() -> None:
    vendor = Flaky()
    listener = Listener("vendor", vendor, keep=10)
    for seq in (1, 2, 3):
        listener.tell(told(seq))
    until(lambda: vendor.asked, within=5, what="the first try")
    vendor.up.set()
    listener.close(5)
    assert vendor.taken == [1, 2, 3]
    assert listener.failures >= 1
    assert listener.dropped == 0


def test_a_listener_that_stays_away_costs_the_oldest_and_they_are_counted() -> None:
    vendor = Flaky()
    listener = Listener("vendor", vendor, keep=3)
    for seq in range(10):
        listener.tell(told(seq))
    listener.close(0.1)
    assert vendor.taken == []
    assert listener.dropped == 10


def test_of_an_open_second_only_the_newest_state_is_told() -> None:
    vendor = Flaky()
    listener = Listener("vendor", vendor, keep=10)
    for seq, final in ((1, True), (2, False), (3, False), (4, False)):
        listener.tell(told(seq, final=final))
    vendor.up.set()
    listener.close(5)
    assert vendor.taken == [1, 4]


def test_one_that_nobody_will_ever_take_keeps_no_other_waiting() -> None:
    taken = []

    def deliver(one: Told) -> None:
        if one.update.seq == 2:
            raise Undeliverable("out of range")
        taken.append(one.update.seq)

    listener = Listener("vendor", deliver, keep=10)
    for seq in (1, 2, 3):
        listener.tell(told(seq))
    assert listener.close(5) == 1
    assert taken == [1, 3]


def test_what_waits_behind_a_delivery_that_does_not_end_is_counted() -> None:
    let_go = threading.Event()

    def hang(_: Told) -> None:
        let_go.wait(20)

    listener = Listener("vendor", hang, keep=10)
    for seq in (1, 2, 3):
        listener.tell(told(seq))
    assert listener.close(0.1) == 3
    let_go.set()


@pytest.mark.django_db(transaction=True)
def test_a_second_of_a_run_that_is_gone_is_not_tried_again() -> None:
    with pytest.raises(Undeliverable, match="second 7"):
        keep_in(404)(told(7))
