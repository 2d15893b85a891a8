import pytest

from audit import telling


@pytest.mark.parametrize(
    ("action", "subject", "data", "said"),
    [
        ("calendar", "hold 3", {"id": 3, "lifted": True, "stopped": []}, "mara lifted hold 3."),
        (
            "calendar",
            "weddings",
            {"saved": [{"id": 7}], "deleted": [], "stopped": [4]},
            "mara saved weddings, which stopped 1 test.",
        ),
        ("calendar", "weddings", {"saved": [], "deleted": [7]}, "mara deleted from weddings."),
        ("calendar", "coordinators", {"added": [], "changed": [2]}, "mara changed coordinators."),
        ("calendar", "attestation 1", {"until": "2026"}, "mara wrote attestation 1."),
        ("revoke", "permit 4", {"why": "Rain"}, "mara revoked permit 4: Rain."),
        ("granted", "permit 4", {"target": 3}, "Permit 4: granted, by mara."),
        (
            "verdict",
            "run 12",
            {"verdict": {"safe": False, "reason": "Saturday wedding day protection"}},
            "Run 12 of mara was refused: Saturday wedding day protection.",
        ),
        (
            "verdict",
            "run 12",
            {"verdict": {"safe": True, "reason": "No active weddings detected"}},
            "Run 12 of mara was let in: No active weddings detected.",
        ),
    ],
)
def test_an_entry_is_told_in_a_sentence(
    action: str, subject: str, data: dict[str, object], said: str
) -> None:
    assert telling.sentence(actor="mara", action=action, subject=subject, data=data) == said


def test_facts_are_told_line_by_line() -> None:
    data = {"saved": [{"id": 7, "is_live": True}, {"id": 8, "is_live": False}], "stopped": []}
    more = {"zones": ["UTC", "Europe/London"], "until": None}

    assert telling.lines(data | more) == [
        ("saved › 1 › id", "7"),
        ("saved › 1 › is live", "yes"),
        ("saved › 2 › id", "8"),
        ("saved › 2 › is live", "no"),
        ("stopped", "none"),
        ("zones", "UTC, Europe/London"),
        ("until", "–"),
    ]


def test_of_very_many_facts_the_first_are_told() -> None:
    told = telling.lines({str(number): number for number in range(5_000)})

    assert len(told) == telling.MOST_LINES + 1
    assert told[-1][1].startswith("more than can be shown")
