"""Between a run and its job, with a stand-in for the tool; the real ones are in tools/."""

import os
import stat
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from runs import preparing, vault
from runs.fencing import kernel
from runs.fencing.networks import holds, read_networks
from runs.host.identity import Identity
from runs.models import Run, Target
from runs.request import Invalid
from runs.tools import Job, Prepared, Shell, ToolProblem
from runs.tools.locust import Locust

pytestmark = pytest.mark.django_db
US = Identity()


class StandIn(Locust):
    """Prepares nothing, and remembers its job."""

    name = "stand-in"

    def __init__(self, **words: Any) -> None:
        self.prepared = Prepared("1.0", **({"worst_case": timedelta(seconds=9)} | words))
        self.job: Job | None = None
        self.ask: list[str] = []
        self.heard = ""

    def prepare(self, job: Job, shell: Shell) -> Prepared:
        self.job = job
        if self.ask:
            self.heard = shell(self.ask, {"PATH": os.defpath}, 10).stderr
        return self.prepared


class Steered(StandIn):
    is_steered_from_outside = True


class Complaining(StandIn):
    def prepare(self, job: Job, shell: Shell) -> Prepared:
        secret = job.secrets["TOKEN"]
        words = f"The script asks for the engine {secret} now."
        raise ToolProblem(words, code="script_invalid", output=f"no {secret} here")


def run_of(**words: Any) -> Run:
    defaults = {"script": "x", "target": "http://127.0.0.1:9000", "users": 3}
    return Run(duration=timedelta(seconds=30), **(defaults | words))


def prepare(workdir: Path, tool: StandIn | None = None, **words: Any) -> preparing.Ready:
    return preparing.prepare(run_of(**words), tool or StandIn(), US, workdir)


def test_script_files_and_authority_lie_in_the_work_directory_for_its_user_to_read(
    tmp_path: Path, ca: str
) -> None:
    ready = prepare(tmp_path, files={"data/deep/a.csv": "Anna", "b.js": "x"}, ca=ca)
    assert ready.job.script.read_text() == "x"
    assert (tmp_path / "data/deep/a.csv").read_text() == "Anna"
    assert ready.job.ca is not None
    assert ready.job.ca.read_text() == ca
    for path in tmp_path.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o777 if path.is_dir() else 0o644)


def test_what_the_request_may_not_hold_the_worker_refuses_as_well(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="is no path of a file"):
        prepare(tmp_path, files={"../a": "x"})
    assert list(tmp_path.iterdir()) == []


class TestSecrets:
    def test_a_value_comes_from_the_environment_of_the_worker(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WEDSYNC_SECRET_GUEST_API", "hush-hush")
        ready = prepare(tmp_path, secrets={"TOKEN": "guest-api"})
        assert ready.job.secrets == {"TOKEN": "hush-hush"}
        assert "hush" not in repr(ready) + str(ready.plan)
        assert not any(b"hush" in path.read_bytes() for path in tmp_path.rglob("*"))

    def test_a_value_comes_from_a_file_of_its_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "guest-api").write_text("hush-hush\n")
        monkeypatch.setenv("WEDSYNC_SECRET_FOLDER", str(tmp_path))
        assert vault.read({"TOKEN": "guest-api"}) == {"TOKEN": "hush-hush"}

    def test_a_secret_that_nobody_knows_is_refused_with_what_to_do(self, tmp_path: Path) -> None:
        with pytest.raises(ToolProblem, match="Set WEDSYNC_SECRET_GUEST_API there, or put") as e:
            prepare(tmp_path, secrets={"TOKEN": "guest-api"})
        assert e.value.code == "secret_missing"

    def test_one_that_is_too_short_to_be_hidden_is_refused_without_being_told(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WEDSYNC_SECRET_GUEST_API", "q7z")
        with pytest.raises(ToolProblem, match="shorter than 4 characters") as caught:
            prepare(tmp_path, secrets={"TOKEN": "guest-api"})
        assert "q7z" not in str(caught.value)

    def test_what_a_tool_says_while_it_prepares_holds_no_secret(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WEDSYNC_SECRET_GUEST_API", "hush-hush")
        tool = StandIn()
        tool.ask = ["/bin/sh", "-c", "echo the token is hush-hush >&2"]
        prepare(tmp_path, tool, secrets={"TOKEN": "guest-api"})
        assert tool.heard == "the token is [secret]\n"

    def test_what_a_plan_and_its_warnings_quote_is_kept_without_secrets(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WEDSYNC_SECRET_GUEST_API", "hush-hush")
        tool = StandIn(
            hosts=("http://127.0.0.2/hush-hush",),
            thresholds=("p95{token:hush-hush} < 5",),
            warnings=("The option hush-hush is ignored.",),
        )
        ready = prepare(tmp_path, tool, secrets={"TOKEN": "guest-api"})
        assert ready.plan["hosts"] == ["http://127.0.0.2/[secret]"]
        assert ready.plan["thresholds"] == ["p95{token:[secret]} < 5"]
        assert ready.plan["warnings"] == ["The option [secret] is ignored."]
        assert "The option [secret] is ignored.\n" in ready.notes

    def test_a_refusal_quotes_no_secret(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WEDSYNC_SECRET_GUEST_API", "hush-hush")
        tool = StandIn(hosts=("http://hush-hush.invalid",))
        with pytest.raises(Invalid, match=r"The host \[secret\]\.invalid has no address"):
            prepare(tmp_path, tool, secrets={"TOKEN": "guest-api"})

    def test_a_problem_of_the_tool_quotes_no_secret(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WEDSYNC_SECRET_GUEST_API", "hush-hush")
        with pytest.raises(ToolProblem, match=r"asks for the engine \[secret\] now") as caught:
            prepare(tmp_path, Complaining(), secrets={"TOKEN": "guest-api"})
        assert (caught.value.code, caught.value.output) == ("script_invalid", "no [secret] here")


class TestCaps:
    @pytest.fixture(autouse=True)
    def small(self) -> None:
        Target.objects.create(name="Small", hosts=["127.0.0.1"], max_users=10, max_rate=50)

    @pytest.mark.parametrize(
        ("plan", "words"),
        [
            ({"peak_users": 11}, "at most 10 users, and this test brings 11"),
            ({"peak_rate": 50.5}, "at most 50 arrivals a second, and this plans 50.5"),
        ],
    )
    def test_a_script_that_plans_more_than_its_target_allows_is_not_run(
        self, tmp_path: Path, plan: dict[str, Any], words: str
    ) -> None:
        with pytest.raises(Invalid, match=words):
            prepare(tmp_path, StandIn(**plan))

    def test_what_caps_hold_is_said(self, tmp_path: Path) -> None:
        plan = prepare(tmp_path, StandIn(peak_users=10)).plan
        said = "\n".join(plan["enforced"])
        assert "At most 10 users at “Small”: by the script's plan." in said
        assert (
            "At most 50 a second at “Small”: arrivals not enforced: no plan says; requests by"
            in said
        )


def test_a_host_that_the_plan_names_is_a_door_where_it_is_allowed(tmp_path: Path) -> None:
    tool = StandIn(hosts=("http://127.0.0.2:81/api", "localhost:82"))
    ready = prepare(tmp_path, tool)
    assert ready.fence is not None
    doors = {door.inside for door in ready.fence.doors}
    assert {("127.0.0.1", 9000), ("127.0.0.2", 81), ("127.0.0.1", 82)} <= doors


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("http://192.0.2.1", r"may not reach 192\.0\.2\.1"),
        ("[x", r"The host \[x has no address here"),
    ],
)
def test_a_host_that_the_plan_names_is_refused_where_it_is_not_allowed(
    tmp_path: Path, host: str, why: str
) -> None:
    with pytest.raises(Invalid, match=why):
        prepare(tmp_path, StandIn(hosts=(host,)))


def test_a_mapped_host_that_the_plan_names_is_the_one_it_is_mapped_to(tmp_path: Path) -> None:
    hosts = {"shop.example": "127.0.0.1:9000"}
    ready = prepare(tmp_path, StandIn(hosts=("https://shop.example",)), hosts=hosts)
    assert ready.fence is not None
    assert ("shop.example", "127.77.0.1") in ready.fence.names


def test_behind_a_fence_the_tool_refuses_all_but_the_doors_and_itself(tmp_path: Path) -> None:
    hosts = {"shop.example": "localhost:9000"}
    ready = prepare(tmp_path, hosts=hosts)
    assert ready.job.hosts == {}
    assert "0.0.0.0/2" in ready.job.deny
    assert not any(network.startswith("127.") for network in ready.job.deny)


def test_a_tool_that_is_steered_from_outside_maps_and_refuses_by_itself(tmp_path: Path) -> None:
    ready = prepare(tmp_path, Steered(), hosts={"shop.example:443": "localhost:9000"})
    assert ready.fence is None
    assert ready.job.hosts == {"shop.example:443": "127.0.0.1:9000"}
    assert "Enforced by stand-in, on the resolved address" in ready.plan["enforced"][0]


def test_where_the_kernel_gives_no_network_that_is_said_plainly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "can_fence", lambda who: False)
    ready = prepare(tmp_path)
    assert ready.fence is None
    assert ready.plan["enforced"][0].startswith("Not enforced by the kernel")


def test_where_the_kernel_gives_no_network_a_dry_run_reads_no_line_of_a_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "can_fence", lambda who: False)
    tool = StandIn()
    with pytest.raises(ToolProblem, match="cannot rehearse a script of stand-in") as caught:
        prepare(tmp_path, tool, is_dry=True)
    assert caught.value.code == "no_own_network"
    assert tool.job is None
    assert prepare(tmp_path, Steered(), is_dry=True).fence is None


def test_an_address_of_a_closed_target_is_denied_within_the_network_of_an_open_one(
    tmp_path: Path,
) -> None:
    Target.objects.create(name="Open", hosts=["127.1.0.0/16"])
    Target.objects.create(name="Closed", hosts=["127.1.0.5"], is_open=False)
    ready = prepare(tmp_path, Steered(), target="http://127.1.0.6:9000")
    denied = read_networks(ready.job.deny)
    assert holds(denied, ip_address("127.1.0.5"))
    assert not holds(denied, ip_address("127.1.0.6"))


def test_a_tool_that_runs_as_root_is_not_said_to_be_held_whatever_it_does(tmp_path: Path) -> None:
    root = Identity(why="runs as root: python3 is not open to the user nobody")
    ready = preparing.prepare(run_of(), StandIn(), root, tmp_path)
    said = "\n".join(ready.plan["enforced"])
    assert "whatever the script does" not in said
    assert "a script that runs as root could leave that network. Run the worker as another" in said
    assert "The tool runs as root" in said


def test_the_plan_stays_with_its_hard_stop(tmp_path: Path) -> None:
    endless = prepare(tmp_path, StandIn(worst_case=None, warnings=("Nobody knows.",)))
    assert (endless.plan["bounded"], endless.plan["worst_case_s"]) == (False, 30.0)
    assert endless.notes == "Nobody knows.\n"
    assert preparing.forecast(run_of(), endless.plan) == (
        "Nothing was sent. It would load http://127.0.0.1:9000 for 30 s at most, the hard stop, "
        "as the script itself knows no end."
    )
    known = prepare(tmp_path, StandIn(peak_users=20, peak_rate=7.5)).plan
    assert preparing.forecast(run_of(), known) == (
        "Nothing was sent. It would load http://127.0.0.1:9000 with up to 20 users and 7.5 "
        "arrivals a second for 9 s at most."
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k,mode=755", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root can make a disk this small")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_told_as_one(small_disk: Path) -> None:
    with pytest.raises(ToolProblem, match="The disk of this worker is full.*Make room") as caught:
        prepare(small_disk, files={"guests.csv": "x" * 100_000})
    assert caught.value.code == "disk_full"


def test_a_disk_that_the_tool_finds_full_is_told_as_one(small_disk: Path) -> None:
    tool = StandIn()
    tool.ask = ["/bin/dd", "if=/dev/zero", f"of={small_disk}/archive", "bs=100k", "count=1"]
    with pytest.raises(ToolProblem, match="The disk of this worker is full") as caught:
        prepare(small_disk, tool)
    assert caught.value.code == "disk_full"
