import json

from runs.tools import Finished
from tests.runs.tools.fake_shell import FakeShell, said

PLAN = {"totalDuration": "35s", "maxVUs": 13, "blacklistIPs": ["10.0.0.0/8"]}


def shell_of(
    *, plan: object = PLAN, archive: Finished | None = None, version: Finished | None = None
) -> FakeShell:
    return FakeShell(
        version=version or said("k6 v1.8.1 (go1.26.8, linux/amd64)\n"),
        archive=archive or said(),
        inspect=said(json.dumps(plan)),
    )
