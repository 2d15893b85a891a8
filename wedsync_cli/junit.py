"""A run as a JUnit XML report: one test case for the run, and one for each threshold.

What CI programs make of the words: `failure` is a broken promise (a threshold), `error` a test that
came to no verdict (aborted, errored, lost), `skipped` one that did not take place: refused by the
wedding calendar, which is nobody's fault. https://github.com/testmoapp/junitxml
"""

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as xml

from wedsync_cli import report

_KINDS = {"passed": "", "failed": "failure", "refused": "skipped"}
_FIGURES = ("requests", "rps", "error_rate", "p50_ms", "p95_ms", "p99_ms")


def write(run: Mapping[str, Any], *, page: str = "") -> str:
    verdict = run.get("verdict") or {}
    outcome = str(verdict.get("outcome", run.get("state")))
    name, seconds = _legal(run.get("name", "run")), str(_seconds(run))
    suite = xml.Element("testsuite", name=name, time=seconds)
    if started := run.get("started_at"):
        suite.set("timestamp", str(started))
    _add_properties(suite, run, page)
    case = _add_case(suite, run, f"run {run.get('id')}", seconds)
    if kind := _KINDS.get(outcome, "error"):
        lines = "\n".join(report.run_lines(run))
        _add_word(case, kind, outcome, verdict.get("reason", "no verdict was given"), lines)
    for check in verdict.get("checks", ()):
        _judge(_add_case(suite, run, check["text"]), check, run, outcome)
    return _whole(suite)


def _judge(
    case: xml.Element, check: Mapping[str, Any], run: Mapping[str, Any], outcome: str
) -> None:
    """No data fails a threshold of ours; what the tool did not judge itself fails nobody.

    Of a run that came to no verdict nothing is proven: what held that far was not judged.
    """
    said = f"{check['text']}: {check['measured']}"
    if check["held"]:
        if outcome not in {"passed", "failed"}:
            _add_word(case, "skipped", "not judged", f"{said} until the run was {outcome}")
        return
    is_own = str(check["text"]).startswith(f"{run.get('tool')}: ")
    if check["held"] is None and (is_own or outcome not in {"passed", "failed"}):
        _add_word(case, "skipped", "not judged", said)
    else:
        _add_word(case, "failure", "threshold", said)


def _whole(suite: xml.Element) -> str:
    """Counts are told at the suite and at the root: programs read the one or the other."""
    cases = suite.findall("testcase")
    counts = {"tests": len(cases)} | {
        plural: sum(case.find(kind) is not None for case in cases)
        for plural, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))
    }
    root = xml.Element("testsuites", name="WedSync", time=suite.get("time", "0"))
    for plural, number in counts.items():
        suite.set(plural, str(number))
        root.set(plural, str(number))
    root.append(suite)
    xml.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{xml.tostring(root, "unicode")}\n'


def _add_properties(suite: xml.Element, run: Mapping[str, Any], page: str) -> None:
    totals = run.get("totals") or {}
    told = {"page": page, **{name: run.get(name) for name in ("tool", "tool_version", "target")}}
    told |= {name: totals.get(name) for name in _FIGURES}
    properties = xml.SubElement(suite, "properties")
    for name, value in told.items():
        if value not in (None, ""):
            xml.SubElement(properties, "property", name=name, value=_legal(value))


def _add_case(
    suite: xml.Element, run: Mapping[str, Any], name: object, seconds: str = "0"
) -> xml.Element:
    where = f"wedsync.{_legal(run.get('name', 'run'))}"
    return xml.SubElement(suite, "testcase", classname=where, name=_legal(name), time=seconds)


def _add_word(case: xml.Element, kind: str, type_: str, message: object, text: str = "") -> None:
    word = xml.SubElement(case, kind, message=_legal(message), type=type_)
    word.text = _legal(text) or None


def _seconds(run: Mapping[str, Any]) -> float:
    """From the first to the last request."""
    return (run.get("totals") or {}).get("seconds") or 0


def _legal(value: object) -> str:
    """XML 1.0 has no place for most control characters, however they are written."""
    return "".join(sign if sign in "\t\n" or _is_legal(sign) else "\ufffd" for sign in str(value))


def _is_legal(sign: str) -> bool:
    return "\x20" <= sign <= "\ud7ff" or "\ue000" <= sign <= "\ufffd" or sign >= "\U00010000"
