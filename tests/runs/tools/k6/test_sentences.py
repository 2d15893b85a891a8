"""What k6 1.8.1 said of real scripts, in a real work directory, and what of it a person reads."""

from pathlib import Path

import httpx
import pytest

from runs.host import identity
from runs.host.workdir import work_directory
from runs.tools import ToolProblem, placing
from runs.tools.k6 import K6, shards
from tests.runs.tools.fake_shell import job_in
from tests.runs.tools.local import LocalRun, job_of, tool_here

HERE = "file:///tmp/wedsync-work-k3_x9a1b"
ELSEWHERE = "and modules from elsewhere are not fetched. Bring that module among the run's files"
EMPTY = "export default function () {}"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            f"test aborted: enough at default ({HERE}/wedsync-script.js:3:45(6))",
            "The script aborted the test itself: enough (line 3:45 of the script).",
        ),
        (
            f"test aborted at default ({HERE}/wedsync-script.ts:3:45(5))",
            "The script aborted the test itself (line 3:45 of the script).",
        ),
        (
            f"test aborted: no guests at {HERE}/tests/load.js:2:16(16)",
            "The script aborted the test itself: no guests (line 2:16 of tests/load.js).",
        ),
        ("test aborted: since 10:20:30", "The script aborted the test itself: since 10:20:30."),
        ("context canceled", "The script aborted the test itself: context canceled."),
    ],
)
def test_a_script_that_aborts_its_test_is_told_without_our_folders(said: str, words: str) -> None:
    assert K6().explain(108, f"{said}\n").sentence == words


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (f"stat {HERE[7:]}/guests.csv: no such file", "stat guests.csv: no such file"),
        (f"{HERE}/lib/x.js: Line 1:28 Unexpected }}", "lib/x.js: Line 1:28 Unexpected }"),
        (f"could not write to {HERE[7:]}", "could not write to the work directory"),
        ("could not open /var/x/wedsync-archive.tar", "could not open the script"),
        ('File "/w/wedsync_script.py", line 3', 'File "the script", line 3'),
        ("GET http://site.example/wedsync/run", "GET http://site.example/wedsync/run"),
    ],
)
def test_what_a_tool_says_names_no_place_that_only_we_know(said: str, words: str) -> None:
    assert placing.plain(said) == words


def test_no_text_of_a_script_makes_it_slow_to_read() -> None:
    assert placing.plain("/a" * 8192) == "/a" * 8192


def test_what_ends_teardown_is_told_without_our_folders(tmp_path: Path) -> None:
    detail = f"test aborted: shut at teardown ({HERE}/wedsync-script.js:2:34(3))"
    answer = httpx.Response(500, json={"errors": [{"title": "Error", "detail": detail}]})
    transport = httpx.MockTransport(lambda _: answer)
    with (
        httpx.Client(base_url="http://k6.example", transport=transport) as api,
        pytest.raises(
            ToolProblem, match=r"failed: test aborted: shut \(line 2:34 of the script\)$"
        ),
    ):
        shards.tear_down(api, job_in(tmp_path))


@pytest.mark.tool
@pytest.mark.parametrize(
    ("script", "words"),
    [
        (
            "export default function () {\n  console.log('a'\n}",
            "k6 cannot load the script: Line 3:1 Unexpected token } (and 1 more errors)",
        ),
        (
            "export default function () { for (;;) { } break; }",
            "k6 cannot load the script: Line 1:43 Illegal break statement (and 1 more errors)",
        ),
        (
            "const guests: number = 1;\nexport default function () {\n  console.log(guests\n}",
            'k6 cannot load the script: Line 4:0 Expected ")" but found "}"',
        ),
        (
            f"{EMPTY} const a = 1; const a = 2;",
            "k6 cannot load the script: SyntaxError: Identifier 'a' has already been declared "
            "(line 1:50 of the script)",
        ),
        (
            f"import './lib.js'; {EMPTY}",
            "k6 cannot load the script: lib.js: Line 1:5 Unexpected end of input",
        ),
        (
            f"import 'https://guest:pw@127.0.0.1:9/lib.js?token=1#a'; {EMPTY}",
            f"The script imports from https://127.0.0.1:9/lib.js, {ELSEWHERE}",
        ),
        (
            f"require('https://127.0.0.1:9/lib.js'); {EMPTY}",
            f"The script imports from https://127.0.0.1:9/lib.js, {ELSEWHERE}",
        ),
        (
            f"import 'http://127.0.0.1:9/lib.js'; {EMPTY}",
            f"The script imports from http://127.0.0.1:9/lib.js, {ELSEWHERE}",
        ),
        (
            f"import 'github.com/guests/lib.js'; {EMPTY}",
            f"The script imports from github.com, {ELSEWHERE}",
        ),
    ],
)
def test_what_is_wrong_with_a_script_is_told_as_its_author_sees_it(script: str, words: str) -> None:
    k6 = tool_here("k6")
    with work_directory(identity.choose(k6.find())) as workdir:
        (workdir / "lib.js").write_text("foo(")
        run = LocalRun(k6, job_of(k6, script, workdir))
        with pytest.raises(ToolProblem) as caught:
            k6.prepare(run.job, run.shell)
    assert str(caught.value).startswith(words)
    assert "wedsync-" not in f"{caught.value} {caught.value.output}"
