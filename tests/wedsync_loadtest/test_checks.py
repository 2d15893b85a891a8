import pytest
from django.conf import LazySettings
from django.core import checks


@pytest.mark.parametrize(
    ("embedded", "offset", "refused"),
    [
        (True, 3600.0, False),
        (False, 3600.0, True),
        (False, 0.0, False),
    ],
)
def test_a_moved_clock_is_refused_outside_the_embedded_stack(
    settings: LazySettings, embedded: bool, offset: float, refused: bool
) -> None:
    settings.WEDSYNC_EMBEDDED, settings.WEDSYNC_CLOCK_OFFSET = embedded, offset

    found = [message.id for message in checks.run_checks()]

    assert ("wedsync.E001" in found) == refused
