import pytest
from django.contrib.auth.models import User
from django.test import Client
from time_machine import TimeMachineFixture

from access import services as access
from tests.calendar_guard.admin_words import NOW


@pytest.fixture
def clock(time_machine: TimeMachineFixture) -> TimeMachineFixture:
    """The present: a Wednesday morning in season."""
    time_machine.move_to(NOW, tick=False)
    return time_machine


@pytest.fixture
def mara(db: None) -> Client:
    """A coordinator at her browser; nothing but her role lets her do what she does."""
    return browser_of("mara", "coordinator")


def browser_of(name: str, role: str) -> Client:
    access.add_person(username=name, password="confetti-9", role=role, staff=True)
    browser = Client()
    browser.force_login(User.objects.get(username=name))
    return browser
