"""A target's cap on the rate holds while a test runs, not only for what its plan says."""

import pytest
from django.contrib.auth.models import User

from runs import engine, targets
from runs.models import Target
from runs.rates import RateCap
from runs.samples import Second
from runs.samples.sketch import Sketch
from tests.runs.conftest import request_for
from tests.runs.driving import begin


def said(rates: dict[int, int], most: int = 100) -> list[tuple[int, str]]:
    """When the cap would end a run with these requests by second, and with which words."""
    cap = RateCap("Staging", most)
    seconds = (Second(at, count, 0, None, Sketch()) for at, count in rates.items())
    return [(second.at, stop.reason) for second in seconds if (stop := cap.see(second))]


def test_five_seconds_in_a_row_above_the_cap_end_a_run_with_what_was_measured() -> None:
    ((at, sentence),) = said({1: 20, 2: 120, 3: 130, 4: 120, 5: 130, 6: 125})
    assert at == 6
    assert sentence == (
        "The target “Staging” allows at most 100 requests a second, and the test made 125 a second "
        "for 5 s, so it was stopped. Ask for less, or ask ops to raise the cap."
    )


@pytest.mark.parametrize(
    "rates",
    [
        pytest.param(dict.fromkeys(range(60), 110), id="ten per cent over is no reason"),
        pytest.param({1: 900, 2: 900, 3: 900, 4: 900}, id="four seconds are a burst"),
        pytest.param({at: 0 if at % 5 else 500 for at in range(60)}, id="a burst, then nothing"),
        pytest.param({5 * at: 500 for at in range(60)}, id="nothing is measured between"),
    ],
)
def test_what_does_not_stay_above_the_cap_may_go_on(rates: dict[int, int]) -> None:
    assert said(rates) == []


@pytest.mark.parametrize(
    "rates",
    [
        pytest.param({at: 99 if at % 5 == 0 else 900 for at in range(60)}, id="it sinks between"),
        pytest.param({2 * at: 900 for at in range(60)}, id="nothing is measured between"),
    ],
)
def test_a_pause_does_not_make_up_for_what_is_far_above(rates: dict[int, int]) -> None:
    assert said(rates)


@pytest.mark.django_db
def test_of_two_targets_that_allow_an_address_the_tighter_cap_holds() -> None:
    assert targets.rate_cap(request_for()) is None
    Target.objects.create(name="By network", hosts=["127.0.0.0/8"], max_rate=30)
    Target.objects.create(name="By name", hosts=["localhost"], max_rate=50)
    cap = targets.rate_cap(request_for(target="http://localhost:9"))
    assert cap is not None
    assert "By network" in str([cap.see(Second(at, 60, 0, None, Sketch())) for at in range(5)])


@pytest.mark.django_db
def test_a_mapped_hosts_cap_holds_for_the_whole_test() -> None:
    Target.objects.create(name="Photos", hosts=["127.0.0.2"], max_rate=30)
    assert targets.rate_cap(request_for()) is None
    cap = targets.rate_cap(request_for(hosts={"photos.example": "127.0.0.2:9000"}))
    assert cap is not None
    assert "Photos" in str([cap.see(Second(at, 60, 0, None, Sketch())) for at in range(5)])


@pytest.mark.paced
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("valkey", "quiet_tuesday", "fake_k6")
def test_a_test_that_stays_above_its_targets_cap_is_stopped(engineer: User) -> None:
    """The stand-in makes 50 requests a second and plans nothing."""
    Target.objects.create(name="Small", hosts=["127.0.0.1"], max_rate=20)
    run = begin(engineer, seconds=25)
    engine.execute(run.pk)
    run.refresh_from_db()
    assert (run.state, run.processes_left) == ("aborted", 0)
    assert run.verdict is not None
    assert "“Small” allows at most 20 requests a second, and the test made" in run.verdict["reason"]
