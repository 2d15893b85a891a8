import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.contrib.auth import authenticate, get_user_model
from django.core.management import CommandError, call_command
from django.test import Client

from access.models import Token
from calendar_guard import services
from calendar_guard.models import Wedding

pytestmark = pytest.mark.django_db
TUESDAY = datetime(2026, 6, 9, 10, tzinfo=UTC)
SATURDAY = datetime(2026, 6, 13, 18, tzinfo=UTC)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.json"
    path.write_text(json.dumps({"engineer": "e-secret", "coordinator": "c", "ops": "o"}))
    return path


def test_the_demo_people_can_log_in_and_do_what_their_role_may(people: Path) -> None:
    call_command("seed_demo", people=people)
    call_command("seed_demo", people=people)

    engineer = authenticate(username="engineer", password="e-secret")
    assert engineer is not None
    assert engineer.has_perm("runs.add_run")
    assert get_user_model().objects.count() == 3
    assert get_user_model().objects.get(username="coordinator").is_staff


def test_the_demo_engineer_finds_the_schedules_in_the_admin(people: Path, client: Client) -> None:
    call_command("seed_demo", people=people)
    client.force_login(get_user_model().objects.get(username="engineer"))

    assert client.get("/admin/runs/schedule/add/").status_code == 200
    assert client.get("/admin/calendar_guard/hold/").status_code == 200
    assert client.get("/admin/calendar_guard/wedding/").status_code == 403


@time_machine.travel(TUESDAY, tick=False)
def test_the_sample_calendar_leaves_a_tuesday_free_and_protects_its_saturday() -> None:
    call_command("seed_demo", calendar=True)

    today = services.check(start=TUESDAY, duration=timedelta(minutes=2), now=TUESDAY)
    saturday = services.check(start=SATURDAY, duration=timedelta(minutes=2), now=TUESDAY)

    assert today.safe
    assert {blocker.rule for blocker in saturday.blockers} == {"protected_weekday", "wedding"}


@time_machine.travel(TUESDAY, tick=False)
def test_seeding_again_restores_each_sample_wedding_under_its_own_number() -> None:
    call_command("seed_demo", calendar=True)
    before = list(Wedding.objects.values())
    moved = {"starts_at": TUESDAY, "ends_at": TUESDAY + timedelta(hours=3), "status": "live"}
    Wedding.objects.filter(title="Amelia & Oliver").update(title="A & O", **moved)

    call_command("seed_demo", calendar=True)

    assert list(Wedding.objects.values()) == before


def test_another_day_moves_the_sample_calendar_along() -> None:
    for days in (0, 365):
        with time_machine.travel(TUESDAY + timedelta(days=days), tick=False):
            call_command("seed_demo", calendar=True)

    assert Wedding.objects.count() == 6
    assert Wedding.objects.earliest("starts_at").starts_at.year == 2027


def test_a_wedding_added_by_hand_stays_and_is_named_in_the_scene(people: Path) -> None:
    times = {"starts_at": TUESDAY, "ends_at": TUESDAY + timedelta(hours=3)}
    mine = Wedding.objects.create(title="Ada & Grace", **times)
    out = io.StringIO()

    call_command("seed_demo", people=people, calendar=True, scene=True, stdout=out)

    scene = json.loads(out.getvalue())
    assert scene["by_hand"] == [mine.pk]
    assert len(scene["token"].split()) == 1
    assert Token.objects.get().user.get_username() == "engineer"


def test_a_token_is_printed_alone_and_works_for_the_person(people: Path) -> None:
    call_command("seed_demo", people=people)
    out = io.StringIO()

    call_command("issue_token", "engineer", stdout=out)

    assert len(out.getvalue().split()) == 1
    assert Token.objects.get().user.get_username() == "engineer"


def test_a_token_for_nobody_is_refused_in_words() -> None:
    with pytest.raises(CommandError, match="Nobody here is called 'zoe'"):
        call_command("issue_token", "zoe")


@pytest.mark.parametrize("days", [-1, 0, 3651, 4_000_000])
def test_a_token_that_never_works_or_works_too_long_is_refused_in_words(
    people: Path, days: int
) -> None:
    call_command("seed_demo", people=people)

    with pytest.raises(CommandError, match=f"from 1 to 3650, not {days}"):
        call_command("issue_token", "engineer", days=days)
    assert not Token.objects.exists()
