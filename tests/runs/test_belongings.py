import base64
from pathlib import PurePosixPath
from typing import Any

import pytest

from runs import belongings
from runs.request import Invalid
from runs.tools import get_tool, tool_names
from tests.runs.conftest import request_for


def refusal(**words: Any) -> tuple[str, str]:
    with pytest.raises(Invalid) as caught:
        belongings.check(request_for(**words), get_tool("k6"))
    return caught.value.field, str(caught.value)


def test_files_may_lie_in_folders_and_be_binary() -> None:
    photo = bytes(range(256))
    files = {
        "data/guests.csv": "Anna,1\n",
        "./photo.jpg": f"base64:{base64.b64encode(photo).decode()}",
    }
    assert belongings.files_of(files) == {
        PurePosixPath("data/guests.csv"): b"Anna,1\n",
        PurePosixPath("photo.jpg"): photo,
    }


@pytest.mark.parametrize(
    "name",
    [
        "../a",
        "a/../../b",
        "/etc/passwd",
        "",
        ".",
        "a//b",
        "a\\b",
        "a\0b",
        "a\nb",
        "a/",
        "/",
        "..",
        "a/.",
    ],
)
def test_a_file_stays_below_the_work_directory(name: str) -> None:
    assert refusal(files={name: "x"}) == (
        "files",
        f"{name!r} is no path of a file; write it like data/guests.csv.",
    )


@pytest.mark.parametrize(
    ("words", "field", "said"),
    [
        ({"files": {"wedsync_tap.py": "x"}}, "files", "names that begin with wedsync are taken"),
        ({"files": {"a": "x", "a/b": "y"}}, "files", "a/b lies below another file"),
        ({"files": {"a": "base64:é"}}, "files", "begins with base64: but is not base64"),
        ({"files": {"a": "x\0y"}}, "files", "a binary file goes as base64:"),
        ({"files": {"a": "\ud800"}}, "files", "is not text"),
        ({"files": {"a" * 300: "x"}}, "files", "is too long for a path"),
        ({"files": {str(n): "" for n in range(201)}}, "files", "at most 200 files"),
        ({"files": {"a": "x" * (16 << 20), "b": "x"}}, "files", "more than 16 MiB together"),
        ({"files": ["a"]}, "files", "files is an object of texts"),
        ({"files": {"a": 7}}, "files", "files is an object of texts"),
        ({"hosts": {"a.example": 7}}, "hosts", "hosts is an object of texts"),
        ({"script": "x" * ((2 << 20) + 1)}, "script", "longer than 2 MiB"),
        ({"script": "\0\x01\x02"}, "script", "The script is not text"),
        ({"variables": {"A B": "x"}}, "variables", "'A B' is no name of a variable"),
        ({"variables": {"TARGET": "x"}}, "variables", "TARGET is set by WedSync"),
        ({"variables": {"path": "x"}}, "variables", "path is set by WedSync"),
        ({"variables": {"K6_VUS": "500"}}, "variables", "K6_VUS is set by WedSync"),
        ({"variables": {"LD_PRELOAD": "x"}}, "variables", "read by the tool itself"),
        ({"secrets": {"NODE_OPTIONS": "x"}}, "secrets", "read by the tool itself"),
        ({"secrets": {"ARTILLERY_CONFIG": "guest-api"}}, "secrets", "read by the tool itself"),
        ({"secrets": {"TOKEN": "a value with spaces"}}, "secrets", "never the value"),
        ({"secrets": {"TOKEN": "../key"}}, "secrets", "is no name of a secret"),
        ({"secrets": {"TOKEN": "key"}}, "secrets", "is no name of a secret"),
        ({"secrets": {"TOKEN": "key.file"}}, "secrets", "is no name of a secret"),
        ({"secrets": {"A": "a"}, "variables": {"A": "b"}}, "secrets", "is a variable and a secret"),
        ({"ca": "-----BEGIN CERTIFICATE-----\nx"}, "ca", "is no PEM certificate"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_field(
    words: dict[str, Any], field: str, said: str
) -> None:
    assert refusal(**words)[0] == field
    assert said in refusal(**words)[1]


def test_a_request_with_everything_in_order_passes(ca: str) -> None:
    belongings.check(
        request_for(
            files={"data/a.csv": "x"},
            variables={"GUESTS": "200"},
            secrets={"TOKEN": "guest-api"},
            hosts={"shop.example": "127.0.0.1:9000"},
            ca=ca,
        ),
        get_tool("k6"),
    )


def test_a_script_may_have_variables_named_after_its_tool_but_no_options() -> None:
    belongings.check(request_for(variables={"LOCUST_USER": "anna"}), get_tool("locust"))
    with pytest.raises(Invalid, match="read by the tool itself"):
        belongings.check(request_for(variables={"LOCUST_CSV": "x"}), get_tool("locust"))


@pytest.mark.parametrize("name", tool_names())
def test_an_option_may_be_asked_of_the_tool_that_has_it(name: str) -> None:
    tool = get_tool(name)
    belongings.check(request_for(variables=dict.fromkeys(tool.options, "x")), tool)
    strangers = {one for other in tool_names() for one in get_tool(other).options} - {*tool.options}
    for one in {one for one in strangers if one.startswith("ARTILLERY_")}:
        with pytest.raises(Invalid, match="read by the tool itself"):
            belongings.check(request_for(variables={one: "x"}), tool)


def test_a_reference_names_its_variable() -> None:
    assert belongings.check_reference("TOKEN", "guest-api.v2") == "WEDSYNC_SECRET_GUEST_API_V2"
