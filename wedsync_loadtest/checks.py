"""What no deployment may do, told before it starts."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error


def check_the_clock_stands_still(app_configs: Any = None, **kwargs: Any) -> Sequence[CheckMessage]:
    """A moved clock would move the weddings' protection; only the embedded stack may do that."""
    if settings.WEDSYNC_EMBEDDED or not settings.WEDSYNC_CLOCK_OFFSET:
        return []
    return [
        Error(
            "WEDSYNC_CLOCK_OFFSET moves the wedding calendar's clock outside the embedded stack.",
            hint="Unset WEDSYNC_CLOCK_OFFSET; to try another day use ./wedsync demo --at.",
            id="wedsync.E001",
        )
    ]
