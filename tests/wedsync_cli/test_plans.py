"""A plan file as the body of a request; what is wrong with it, in a sentence."""

import base64
import sys
from pathlib import Path

import pytest

from wedsync_cli import plans
from wedsync_cli.words import USAGE, Context, Problem

ROOT = Path(__file__).resolve().parents[2]
WHOLE = """
name: The guest rush
tool: k6
script: rush.js            # beside this file
target: http://127.0.0.1:9000
duration: 1m30s
users: 20
thresholds:
  - p95 > 800ms
  - errors > 1%
files: [data/*.csv, photo.jpg]
variables: {GUESTS: 0200, LOUD: yes, RATIO: 1.10}
secrets: {API_TOKEN: guest-api}
hosts: {shop.example: 127.0.0.1:9000}
tags: nightly
"""


@pytest.fixture
def here(tmp_path: Path, context: Context) -> Context:
    """The checkout itself, with the Python that runs the tests as its environment's."""
    return ContextWithPython(root=ROOT, env=context.env, say=context.say)


class ContextWithPython(Context):
    @property
    def python(self) -> Path:
        return Path(sys.executable)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "rush.js").write_text("export default () => {}\n")
    (tmp_path / "data" / "guests.csv").write_text("name,seat\n")
    (tmp_path / "data" / "tricky.csv").write_text("base64:not")
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff\x00")
    return tmp_path


def read(context: Context, folder: Path, text: str | bytes) -> dict[str, object]:
    path = folder / "plan.yml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return plans.read(context, path)


def test_paths_become_what_is_in_them_and_values_stay_as_they_stand(
    here: Context, folder: Path
) -> None:
    assert read(here, folder, WHOLE) == {
        "name": "The guest rush",
        "tool": "k6",
        "script": "export default () => {}\n",
        "target": "http://127.0.0.1:9000",
        "duration": "PT1M30S",
        "users": "20",
        "thresholds": ["p95 > 800ms", "errors > 1%"],
        "files": {
            "data/guests.csv": "name,seat\n",
            "data/tricky.csv": f"base64:{base64.b64encode(b'base64:not').decode()}",
            "photo.jpg": "base64:/9j/AA==",
        },
        "variables": {"GUESTS": "0200", "LOUD": "yes", "RATIO": "1.10"},
        "secrets": {"API_TOKEN": "guest-api"},
        "hosts": {"shop.example": "127.0.0.1:9000"},
        "tags": ["nightly"],
    }


def test_a_plan_without_a_name_has_its_files(here: Context, folder: Path) -> None:
    assert read(here, folder, "tool: k6\nscript: rush.js\n")["name"] == "plan"
    assert read(here, folder, "plan: 3\nduration: 5m\n") == {"plan": "3", "duration": "PT5M"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must hold words"),
        ("- a\n- b\n", "must hold words"),
        ("just text", "must hold words"),
        ("tool: [k6\n", "line 2, column 1"),
        ("tool: k6\ntool: locust\n", "'tool' is there twice"),
        ("tool: !!python/object/apply:os.system [id]\n[", "line 2"),
        ("script: rush.js\ntols: k6\n", "no word 'tols'. Did you mean tool?"),
        ("xyz: 1", "no word 'xyz'. Known are name"),
        ("script: missing.js", "missing.js cannot be read: No such file"),
        ("script: photo.jpg", "is not text in UTF-8"),
        ("script: [a, b]", "write the path of one file"),
        ("files: data", "It is a folder: write data/*."),
        ("files: [data/*.txt]", "nothing is called 'data/*.txt'"),
        ("files: ../secret", "must lie beside the plan file"),
        ("files: /etc/passwd", "must lie beside the plan file"),
        ("files: {a: b}", "files: write a list"),
        ("thresholds: [[a]]", "thresholds: write a list"),
        ("a: &a [*a]", "recursive node"),
        ("[" * 5000, "recursion"),
        (b"\xff\xfe\x00", "plan.yml is no plan"),
        (b"name: \x00", "plan.yml is no plan"),
        ("? [a]\n: b\n", "unhashable"),
    ],
)
def test_what_is_no_plan_is_wrong_usage_and_says_why(
    here: Context, folder: Path, text: str | bytes, said: str
) -> None:
    with pytest.raises(Problem) as problem:
        read(here, folder, text)
    assert said in str(problem.value)
    assert "Traceback" not in str(problem.value)
    assert problem.value.code == USAGE


def test_a_plan_that_is_not_there_says_so(here: Context, tmp_path: Path) -> None:
    with pytest.raises(Problem, match="none.yml cannot be read: No such file") as problem:
        plans.read(here, tmp_path / "none.yml")
    assert problem.value.code == USAGE


def test_more_than_16_mib_of_files_are_refused_before_they_are_read(
    here: Context, folder: Path
) -> None:
    with (folder / "huge.bin").open("wb") as file:
        file.truncate(17 << 20)
    with pytest.raises(Problem, match="17 MiB together"):
        read(here, folder, "files: huge.bin")


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("90s", "PT90S"),
        ("1h30m", "PT1H30M"),
        ("PT2M", "PT2M"),
        ("soon", "soon"),
        ("1m30", "1m30"),
    ],
)
def test_durations_are_short_or_iso(here: Context, folder: Path, written: str, sent: str) -> None:
    assert read(here, folder, f"duration: {written}")["duration"] == sent
