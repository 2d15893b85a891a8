"""What k6 says, as a person reads it: its own words, without its prefixes, stacks and advice."""

import re

from runs.tools.placing import plain

LONGEST = 300
_LOADING = re.compile(
    r"^could not (?:initialize|load) '[^']*': (?:could not load JS test '[^']*': )?"
    r"(?:the script: )?"
)
_WHERE = re.compile(r" at (?:\S+ \()?(the script|[^\s()]+\.[cm]?[jt]s):(\d+):(\d+)(?:\(\d+\))?\)?$")
_PARSER = re.compile(r"\bLine (\d+):\d+ ")  # of JavaScript, and of TypeScript: each in other words
_REMOTE = re.compile(
    r"moduleSpecifier \"(?P<https>https?://[^\"]+)\" couldn't be retrieved"
    r"|schemes for imports are file and https, (?P<http>http://\S+) has"
    r"|(?P<site>\S+) 'special' urls are no longer supported"
)
_SECRET_PARTS = re.compile(r"(?<=://)[^/@]*@|[?#].*")


def useful_line(stderr: str) -> str:
    """The last thing that it said, with the list behind it where it ends in a colon."""
    lines = [line for line in plain(stderr).splitlines() if line.strip()]
    heads = [at for at, line in enumerate(lines) if not line[0].isspace()]
    if not heads:
        return ""
    line = lines[heads[-1]]
    if line.endswith(":"):
        items = (item.strip().lstrip("- ") for item in lines[heads[-1] + 1 :])
        line = f"{line} {'; '.join(items)}"
    return tidy(line)


def tidy(line: str) -> str:
    line = _LOADING.sub("", plain(line)).partition(". Make sure")[0]
    return _WHERE.sub(r" (line \2:\3 of \1)", line)[:LONGEST]


def syntax_error(stderr: str) -> int | None:
    """How far a parser came: a line, 0 where it does not say; None where it found no fault."""
    if found := _PARSER.search(stderr):
        return int(found[1])
    return 0 if "SyntaxError" in stderr else None


def remote_import(stderr: str) -> str | None:
    """The address from which a script wants a module, without what may be secret of it."""
    found = _REMOTE.search(stderr)
    if found is None:
        return None
    return _SECRET_PARTS.sub("", found["https"] or found["http"] or found["site"])
