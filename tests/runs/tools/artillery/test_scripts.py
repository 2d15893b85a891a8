import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from runs import belongings
from runs.tools import Job, ToolProblem
from runs.tools.artillery import Artillery, scripts
from tests.runs.tools.fake_shell import bring, job_in

TEXT = "config: {}\n"
OURS = Artillery.script_name
PHASES = [{"duration": 10, "arrivalRate": 4}]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    job = replace(job_in(tmp_path), script=tmp_path / OURS)
    job.script.write_text(TEXT)
    return job


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({}, OURS),
        (
            {"scenarios/rush.yaml": TEXT, "scenarios/other.yaml": "config: []\n"},
            "scenarios/rush.yaml",
        ),
        ({"b.yml": TEXT, "a.yml": TEXT}, "a.yml"),
        ({"tests/script.yml": TEXT}, "tests/script.yml"),
        ({"node_modules/x/test.yml": TEXT, "wedsync-plugins/test.yml": TEXT}, OURS),
        ({"notes.txt": TEXT}, OURS),
    ],
)
def test_a_script_runs_from_where_it_lies_among_its_files(
    job: Job, files: dict[str, str], found: str
) -> None:
    bring(job, files)
    assert scripts.place(job) == job.workdir / found


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to(OURS)])
def test_what_is_no_plain_file_is_not_taken_for_the_script(job: Job, make: object) -> None:
    assert callable(make)
    make(job.workdir / "a.yml")
    assert scripts.place(job) == job.script


def test_a_script_has_a_name_that_no_file_of_a_run_can_have(job: Job) -> None:
    bring(job, {"script.yml": "config: []\n"})
    scripts.put(job)
    assert OURS.startswith(belongings.OURS)
    assert scripts.place(job) == job.script
    assert (job.workdir / "script.yml").read_text() == "config: []\n"


def test_a_variable_named_for_an_option_is_one_and_reaches_no_script(job: Job) -> None:
    job = replace(job, variables={"ARTILLERY_CONFIG": "common.yml", "SEASON": "peak"})
    assert list(scripts.options(job)) == ["--config", "common.yml"]
    assert scripts.variables(job) == {"SEASON": "peak"}


def test_a_shard_has_its_part_of_the_phases_beside_the_overrides_of_the_run(job: Job) -> None:
    said = json.dumps({"config": {"phases": PHASES, "http": {"timeout": 3}}, "before": {}})
    plan: dict[str, object] = {
        "artillery": "2",
        "node": "v24",
        "target": "",
        "phases": PHASES,
    }
    plan |= {"plugins": [], "scenarios": [], "ensure": {}, "urls": []}
    (job.workdir / scripts.PLAN).write_text(json.dumps(plan))
    job = replace(job, variables={"ARTILLERY_OVERRIDES": said}, shard=(0, 2))
    assert scripts.overrides(job, is_part=False) == ("--overrides", said)
    option, part = scripts.overrides(job, is_part=True)
    assert (option, json.loads(part)) == (
        "--overrides",
        {
            "config": {"phases": [{"duration": 10, "arrivalRate": 2}], "http": {"timeout": 3}},
            "before": {},
        },
    )


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("phases: []", "it is no JSON \\(.*column 1"),
        ("{no", "it is no JSON"),
        ("[" * 100_000, "it is no JSON"),
        ("7", "it is no JSON object"),
        ("[{}]", "it is no JSON object"),
        ('"text"', "it is no JSON object"),
        ("null", "it is no JSON object"),
        ('{"config": 7}', "its “config” is no JSON object"),
        ('{"config": null}', "its “config” is no JSON object"),
    ],
)
@pytest.mark.parametrize("is_part", [True, False])
def test_overrides_that_are_no_object_are_told_and_no_fault_of_ours(
    job: Job, said: str, why: str, is_part: bool
) -> None:
    job = replace(job, variables={"ARTILLERY_OVERRIDES": said}, shard=(0, 2))
    with pytest.raises(ToolProblem, match=f"OVERRIDES cannot be read: {why}.*Write wh") as caught:
        scripts.overrides(job, is_part=is_part)
    assert caught.value.code == "script_invalid"


@pytest.mark.parametrize("name", ["common.yml", "config", "/etc/hosts", "../" * 9, "x" * 300])
def test_a_config_that_is_not_among_the_files_is_told_by_its_name(job: Job, name: str) -> None:
    bring(job, {"config/common.yml": TEXT})
    job = replace(job, variables={"ARTILLERY_CONFIG": name})
    with pytest.raises(ToolProblem, match=f"says “{name}”, and no file.*Bring") as caught:
        scripts.refuse_missing(job)
    assert caught.value.code == "script_invalid"


def test_a_config_that_is_among_the_files_is_there(job: Job) -> None:
    job = replace(job, variables={"ARTILLERY_CONFIG": "config/common.yml"})
    bring(job, {"config/common.yml": TEXT})
    scripts.refuse_missing(job)
