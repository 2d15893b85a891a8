"""What every k6 command of a run is given: environment, the script's variables, a config file."""

import os
from pathlib import Path

from runs.tools import Job, ToolProblem
from runs.tools.surroundings import put, scrubbed, trusting

_CONFIG = "wedsync-config.json"
# Twice the usual room between two garbage collections: k6 makes seven per cent more requests with
# the same processors, for half as much memory again. https://go.dev/doc/gc-guide#GOGC
GOGC = "200"
# Nobody listens at the port that discards (RFC 863).
_NOBODY = "127.0.0.1:9"


def environment(job: Job) -> dict[str, str]:
    """Secrets are read from here alone: no command line and no archive holds them."""
    return scrubbed(
        job,
        os.environ.get("PATH", os.defpath),
        K6_NO_USAGE_REPORT="true",
        K6_AUTO_EXTENSION_RESOLUTION="false",
        GOGC=GOGC,
        K6_BROWSER_ARGS=_browser(job),
        **trusting(job),
        **job.secrets,
    )


def judging(job: Job) -> dict[str, str]:
    """k6 fetches from https what a script requires, past its deny list: not before the calendar's
    yes. Go asks no proxy for loopback (https://pkg.go.dev/golang.org/x/net/http/httpproxy).
    """
    return environment(job) | {"HTTPS_PROXY": f"http://{_NOBODY}"}


def _browser(job: Job) -> str:
    """k6 looks at the requests of a page, but not at its WebSockets: whatever is not allowed is
    sent to a proxy that is not there. Without the first rule this machine itself would be allowed.

    https://chromium.googlesource.com/chromium/src/+/HEAD/net/docs/proxy.md
    """
    allowed = ";".join(("<-loopback>", *job.allow))
    return f"proxy-server={_NOBODY},proxy-bypass-list={allowed}"


def variables(job: Job) -> list[str]:
    """The same for archive, inspect and run, so that one plan is judged and run."""
    known = job.known | dict(job.variables)
    words = [word for name, value in known.items() for word in ("-e", f"{name}={value}")]
    return [f"--include-system-env-vars={'true' if job.secrets else 'false'}", *words]


def config(job: Job) -> list[str]:
    path = job.workdir / _CONFIG
    return ["--config", str(path)] if path.exists() else []


def keep_config(job: Job) -> None:
    """Copy the installation's k6 configuration to where the tool's own user can read it."""
    if path := os.environ.get("WEDSYNC_K6_CONFIG"):
        try:
            text = Path(path).read_text(encoding="utf-8")
        except OSError as error:
            sentence = f"WEDSYNC_K6_CONFIG names {path}, which cannot be read: {error.strerror}."
            raise ToolProblem(sentence, code="config_unreadable") from None
        put(job.workdir, _CONFIG, text.encode())
