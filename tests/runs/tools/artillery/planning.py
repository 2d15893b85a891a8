import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runs.tools import Finished
from runs.tools.artillery import plans
from tests.runs.tools.fake_shell import said

PLAN: dict[str, Any] = {
    "artillery": "2.0.34",
    "node": "v24.19.0",
    "target": "http://site.example",
    "phases": [{"duration": 10, "arrivalRate": 2, "maxVusers": 5}],
    "plugins": ["ensure", "metrics-by-endpoint"],
    "scenarios": [{"name": "guest", "engine": "http"}],
    "ensure": {},
    "urls": [],
}


class Planning:
    """A shell whose Artillery has the plan plugin write this plan, or says why it could not."""

    def __init__(self, plan: dict[str, Any] | None = None, answer: Finished | None = None) -> None:
        self.plan, self.answer = plan, answer or said()
        self.asked: list[tuple[list[str], dict[str, str]]] = []

    def __call__(self, argv: list[str], env: Mapping[str, str], timeout_s: float) -> Finished:
        self.asked.append((argv, dict(env)))
        if self.plan is not None:
            Path(env["WEDSYNC_PLAN"]).write_text(json.dumps(self.plan))
        return self.answer


def planned(*phases: Mapping[str, object], **more: object) -> plans.Plan:
    return plans.read(json.dumps(PLAN | {"phases": list(phases)} | more).encode())
