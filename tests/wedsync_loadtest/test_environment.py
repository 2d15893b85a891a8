import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
QUIET = {"WEDSYNC_EMBEDDED": "1", "WEDSYNC_SECRET_KEY": "only-for-tests"}


def settings_under(words: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What a process of ours says of its settings in this environment."""
    code = "from wedsync_loadtest import settings as s; print(s.WEDSYNC_TARGET_NETWORKS)"
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("WEDSYNC_", "DJANGO_"))}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=inherited | {k: v for k, v in words.items() if v},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"WEDSYNC_EMBEDDED": "", "WEDSYNC_CLOCK_OFFSET": "3600"}, "outside the embedded stack"),
        ({"WEDSYNC_ZONES": "Europe/Lodnon"}, "no time zone"),
        ({"WEDSYNC_TARGET_NETWORKS": "10.0.0.1/8"}, "host bits"),
        ({"WEDSYNC_SECRET_KEY": ""}, "Set WEDSYNC_SECRET_KEY"),
    ],
)
def test_no_process_starts_with_settings_that_endanger_a_wedding(
    words: dict[str, str], said: str
) -> None:
    done = settings_under(QUIET | words)
    assert done.returncode != 0
    assert said in done.stderr


def test_a_moved_clock_opens_this_machine_only() -> None:
    wide = QUIET | {"WEDSYNC_TARGET_NETWORKS": "10.0.0.0/8"}
    assert settings_under(wide).stdout == "['10.0.0.0/8']\n"
    moved = wide | {"WEDSYNC_CLOCK_OFFSET": "3600"}
    assert settings_under(moved).stdout == "['127.0.0.0/8', '::1/128']\n"
