"""`manage.py verify_audit` says in words what the chain shows, and by its exit code."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from audit import services
from tests.audit.conftest import Record
from tests.audit.test_services import tamper

pytestmark = pytest.mark.django_db


def verify(*options: str) -> str:
    out = StringIO()
    call_command("verify_audit", *options, stdout=out)
    return out.getvalue()


def refusal(*options: str) -> str:
    with pytest.raises(CommandError) as caught:
        verify(*options)
    assert caught.value.returncode == 1
    return str(caught.value)


def test_an_unbroken_chain_is_told_with_its_head(record: Record) -> None:
    for number in range(3):
        record(number)
    said = verify()

    assert "3 audit entries, unbroken from the first to the last." in said
    assert f"Head: {services.entries()[0].hash}" in said
    assert "Keep this hash elsewhere: it shows if the end is ever cut off." in said


def test_the_first_broken_entry_is_named_with_the_reason(record: Record) -> None:
    ids = [record(number) for number in range(4)]
    tamper("UPDATE audit_entry SET actor = 'eve' WHERE id >= %s", ids[2])
    said = refusal()

    assert f"Entry {ids[2]} is the first that does not hold" in said
    assert "it was changed after it was written. Unbroken before it: 2." in said


def test_a_noted_head_proves_that_nothing_was_cut_off(record: Record) -> None:
    record(1)
    head = services.verify().head
    last = record(2)
    assert "The hash that you noted is still among them." in verify("--head", head.upper())

    head = services.verify().head
    tamper("DELETE FROM audit_entry WHERE id = %s", last)
    assert verify()
    assert f"No entry has the hash {head}: the end of the chain was cut off" in refusal(
        "--head", head
    )


@pytest.mark.parametrize("rubbish", ["", "abc", "g" * 64])
def test_rubbish_is_no_head(rubbish: str) -> None:
    assert "64 hexadecimal digits" in refusal("--head", rubbish)
