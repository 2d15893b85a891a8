from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from audit import services

NOW = datetime(2026, 6, 10, 9, tzinfo=UTC)
Record = Callable[..., int]


@pytest.fixture
def record(db: None) -> Record:
    def record(number: int = 1, **changes: object) -> int:
        words: dict[str, object] = {
            "action": "granted",
            "actor": "ada",
            "subject": f"permit {number}",
            "data": {"number": number},
            "now": NOW,
        }
        return services.record(**(words | changes))  # type: ignore[arg-type]

    return record
