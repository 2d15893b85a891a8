import contextlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from runs.tools import Finished, ToolProblem
from runs.tools.k6 import K6
from tests.runs.tools.fake_shell import FakeShell, job_in, said
from tests.runs.tools.k6.shell import shell_of


@pytest.mark.parametrize("lies_at", ["tests/load.js", "load.ts", "a/b/load.mjs"])
def test_a_script_among_its_files_runs_from_where_it_lies(
    k6: K6, tmp_path: Path, lies_at: str
) -> None:
    shell, job = shell_of(), job_in(tmp_path)
    job.script.write_text("import '../lib/guests.js'")
    for name, text in {
        "lib/guests.js": "",
        "z/load.js": "",
        "a/notes.txt": None,
        lies_at: None,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(job.script.read_text() if text is None else text)
    k6.prepare(job, shell)
    assert shell.asked[1][0][-1] == str(tmp_path / lies_at)


def test_a_script_among_its_files_is_what_its_ending_says(k6: K6, tmp_path: Path) -> None:
    wrong = said(stderr="file://x/load.js: Line 4:12 Unexpected token :\n", code=107)
    shell, job = shell_of(archive=wrong), job_in(tmp_path)
    for path in (job.script, tmp_path / "load.js"):
        path.write_text("let guests: number = 1")
    with pytest.raises(ToolProblem, match="Unexpected token"):
        k6.prepare(job, shell)
    assert [argv[-1] for argv, _ in shell.asked[1:]] == [str(tmp_path / "load.js")]


def test_a_script_that_is_no_javascript_is_tried_as_typescript(k6: K6, tmp_path: Path) -> None:
    wrong = said(stderr="file://x/script: Line 4:12 Unexpected token :\n", code=107)
    job = job_in(tmp_path)
    job.script.write_text("let guests: number = 1")

    class TypeScriptOnly(FakeShell):
        def __call__(self, argv: list[str], env: Mapping[str, str], timeout_s: float) -> Finished:
            answer = super().__call__(argv, env, timeout_s)
            return wrong if argv[1] == "archive" and argv[-1] == str(job.script) else answer

    shell = TypeScriptOnly(**shell_of().answers)
    k6.prepare(job, shell)
    archived = [argv[-1] for argv, _ in shell.asked if argv[1] == "archive"]
    assert archived == [str(job.script), str(tmp_path / "wedsync-script.ts")]


def test_what_is_wrong_with_typescript_is_not_that_it_is_no_javascript(
    k6: K6, tmp_path: Path
) -> None:
    job = job_in(tmp_path)
    job.script.write_text("let guests: number = 1")

    class Complaining(FakeShell):
        def __call__(self, argv: list[str], env: Mapping[str, str], timeout_s: float) -> Finished:
            answer = super().__call__(argv, env, timeout_s)
            if argv[1] != "archive":
                return answer
            is_js = argv[-1] == str(job.script)
            wrong = "Line 1:11 Unexpected token :" if is_js else "no ./guests.ts"
            return said(stderr=wrong, code=107)

    with pytest.raises(ToolProblem, match=r"no \./guests\.ts"):
        k6.prepare(job, Complaining(**shell_of().answers))


@pytest.mark.parametrize(
    ("stderr", "words"),
    [
        (
            "could not initialize 'a': could not load JS test 'file://{dir}/wedsync-script.js': "
            "file://{dir}/wedsync-script.js: Line 3:11 Unexpected token ;\n",
            "k6 cannot load the script: Line 3:11 Unexpected token ;",
        ),
        (
            "Error: boom\n\tat file://{dir}/script:2:7(13)\n\n",
            "k6 cannot load the script: Error: boom",
        ),
        (
            '"./x.js" is not on disk. Make sure that',
            'k6 cannot load the script: "./x.js" is not on disk',
        ),
        (
            "There were problems with the options:\n\t- no users\n\t- no time\n",
            "k6 cannot load the script: There were problems with the options: no users; no time",
        ),
        ("", "k6 cannot load the script: it ended with code 107"),
    ],
)
def test_a_broken_script_is_told_in_k6s_own_words(
    k6: K6, tmp_path: Path, stderr: str, words: str
) -> None:
    shell, job = (
        shell_of(archive=said(stderr=stderr.replace("{dir}", str(tmp_path)), code=107)),
        job_in(tmp_path),
    )
    job.script.touch()
    with pytest.raises(ToolProblem) as caught:
        k6.prepare(job, shell)
    assert str(caught.value) == words
    assert caught.value.code == "script_invalid"


@pytest.mark.parametrize("plan", [[], "text"])
def test_an_inspection_that_makes_no_sense_is_a_problem(
    k6: K6, tmp_path: Path, plan: object
) -> None:
    with pytest.raises(ToolProblem, match="not JSON"):
        k6.prepare(job_in(tmp_path), shell_of(plan=plan))


class Linking(FakeShell):
    """Another script, which runs as the same user meanwhile, puts links into the work directory."""

    def __init__(self, workdir: Path, to: Path, **answers: Finished) -> None:
        super().__init__(**answers)
        self.workdir, self.to = workdir, to

    def __call__(self, argv: list[str], env: Mapping[str, str], timeout_s: float) -> Finished:
        for name in ("wedsync-inspect.json", "wedsync-script.ts", "wedsync-archive.mapped"):
            with contextlib.suppress(FileExistsError):
                (self.workdir / name).symlink_to(self.to)
        return super().__call__(argv, env, timeout_s)


def test_no_link_of_a_script_leads_what_we_write_out_of_its_work_directory(
    k6: K6, tmp_path: Path
) -> None:
    ours, job = tmp_path / "ours", job_in(tmp_path)
    ours.write_text("of the stack")
    job.script.write_text("let guests: number = 1")
    wrong = said(stderr="file://x/script: Line 4:12 Unexpected token :\n", code=107)
    with pytest.raises(ToolProblem):
        k6.prepare(job, Linking(tmp_path, ours, **shell_of(archive=wrong).answers))
    assert ours.read_text() == "of the stack"
    k6.prepare(job, Linking(tmp_path, ours, **shell_of().answers))
    assert ours.read_text() == "of the stack"
