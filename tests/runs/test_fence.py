"""A network of its own for the tool: what it finds there, and that nothing else is there."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from ipaddress import ip_address
from pathlib import Path

import pytest

from runs import process
from runs.fencing import kernel
from runs.fencing.fence import Door, Fence, around
from runs.fencing.kernel import can_fence
from runs.fencing.places import Place
from runs.host import identity, launcher, living
from runs.host.identity import Identity
from runs.host.workdir import work_directory
from runs.process import ToolProcess
from runs.tools import Command, Finished
from tests.runs.tools.local import Site
from tests.waiting import until

PYTHON = Path("/usr/bin/python3")
LAUNCHER = Path(launcher.__file__)
WHO = identity.choose(PYTHON) if PYTHON.exists() else Identity()
needs_a_namespace = pytest.mark.skipif(
    not PYTHON.exists() or not can_fence(WHO),
    reason="this kernel gives no network of its own to a tool, so the fence cannot be tried",
)
ASK = """
import sys, urllib.error, urllib.request
for url in sys.argv[1:]:
    try:
        print(url, urllib.request.urlopen(url, timeout=5).status, file=sys.stderr)
    except (OSError, ValueError) as error:
        print(url, type(getattr(error, "reason", error)).__name__, file=sys.stderr)
"""


def place(*addresses: str, port: int = 0) -> Place:
    return Place(addresses[0], port, tuple(map(ip_address, addresses)))


def test_a_target_is_found_inside_where_it_is_outside() -> None:
    fence = around([("shop.example", 81, place("10.0.0.1", "10.0.0.2", port=81))], {})
    assert fence.doors == (
        Door(("10.0.0.1", 81), ("10.0.0.1", 81)),
        Door(("10.0.0.2", 81), ("10.0.0.2", 81)),
    )
    assert fence.names == (("shop.example", "10.0.0.1"), ("shop.example", "10.0.0.2"))
    assert "10.0.0.2 shop.example\n" in fence.hosts_file()


def test_a_mapped_name_has_an_address_of_its_own_on_the_usual_ports() -> None:
    mapped: dict[tuple[str, int | None], Place] = {
        ("shop.example", None): place("10.0.0.1", port=9000)
    }
    fence = around([("shop.example", 8443, place("10.0.0.1", port=9000))], mapped)
    assert {door.inside for door in fence.doors} == {
        ("127.77.0.1", port) for port in (80, 443, 8443, 9000)
    }
    assert {door.outside for door in fence.doors} == {("10.0.0.1", 9000)}
    assert fence.names == (("shop.example", "127.77.0.1"),)


def test_a_place_without_a_port_keeps_the_scripts() -> None:
    fence = around([], {("a.example", None): place("10.0.0.1"), ("b.example", None): place("::1")})
    assert [(door.inside, door.outside) for door in fence.doors] == [
        (("127.77.0.1", 80), ("10.0.0.1", 80)),
        (("127.77.0.1", 443), ("10.0.0.1", 443)),
        (("127.77.0.2", 80), ("::1", 80)),
        (("127.77.0.2", 443), ("::1", 443)),
    ]


def test_a_port_that_is_mapped_by_itself_wins_in_any_order() -> None:
    one = {("a.example", None): place("10.0.0.1"), ("a.example", 443): place("10.0.0.2", port=8443)}
    for mapped in (one, dict(reversed(one.items()))):
        doors = {door.inside[1]: door.outside for door in around([], mapped).doors}
        assert doors == {80: ("10.0.0.1", 80), 443: ("10.0.0.2", 8443)}


def test_a_name_that_is_mapped_for_one_port_is_at_its_others_where_it_really_is() -> None:
    mapped: dict[tuple[str, int | None], Place] = {
        ("a.example", 443): place("127.0.0.1", port=9000)
    }
    named = [
        ("a.example", 443, place("127.0.0.1", port=9000)),
        ("a.example", 80, place("10.0.0.1", port=80)),
    ]
    fence = around(named, mapped)
    assert {door.inside: door.outside for door in fence.doors} == {
        ("127.77.0.1", 443): ("127.0.0.1", 9000),
        ("127.77.0.1", 80): ("10.0.0.1", 80),
    }
    assert fence.names == (("a.example", "127.77.0.1"),)


def test_a_kernel_that_refused_once_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [Finished(1, "", ""), Finished(0, "", "")]
    monkeypatch.setattr(kernel, "_fenced", set())
    monkeypatch.setattr(process, "run", lambda *_, **__: answers.pop(0))
    assert [can_fence(Identity()) for _ in range(3)] == [False, True, True]


def test_localhost_needs_no_further_name() -> None:
    assert around([("localhost", 9000, place("127.0.0.1", "::1"))], {}).names == ()


def run_behind(fence: Fence, argv: list[str], who: Identity = WHO) -> str:
    """What the command says behind the fence, and the proof that nothing of it is left."""
    with work_directory(who) as cwd:
        tool = ToolProcess(lambda samples, go: Command(argv, {}), who=who, cwd=cwd, fence=fence)
        tool.let_out()
        until(lambda: tool.exit_code is not None, within=20, what="the end")
        assert tool.end() == 0
        tool.close()
        return tool.tail


def ask(fence: Fence, *urls: str) -> list[str]:
    said = run_behind(fence, [str(PYTHON), "-c", ASK, *urls])
    return [line.rpartition(" ")[2] for line in said.splitlines()]


@needs_a_namespace
class TestTheRealOne:
    def test_every_door_leads_to_its_place_and_there_is_nothing_beside(self, site: Site) -> None:
        port = int(site.url.rpartition(":")[2])
        outside = ("127.0.0.1", port)
        insides = [outside, ("127.77.0.1", 80), ("10.9.8.7", 81), ("2001:db8::7", 82)]
        fence = Fence(
            tuple(Door(inside, outside) for inside in insides), (("shop.example", "127.77.0.1"),)
        )
        with socket.socket() as unrelated:
            unrelated.bind(("127.0.0.1", 0))
            unrelated.listen()
            elsewhere = f"http://127.0.0.1:{unrelated.getsockname()[1]}/"
            said = ask(
                fence,
                *(f"{site.url}/", "http://shop.example/", "http://10.9.8.7:81/"),
                *("http://[2001:db8::7]:82/", elsewhere, "http://192.0.2.1/", "http://a.example/"),
            )
        assert said[:4] == ["200"] * 4
        assert said[4:] == ["ConnectionRefusedError", "OSError", "gaierror"]
        assert len(site.paths) == 4

    def test_the_doors_are_shut_until_the_tool_may_go(self, site: Site) -> None:
        """Its script shares a process with the tap that waits for that."""
        door = ("127.0.0.1", int(site.url.rpartition(":")[2]))
        argv = [str(PYTHON), "-c", ASK, f"{site.url}/"]
        with work_directory(WHO) as cwd:
            fence = Fence((Door(door, door),))
            tool = ToolProcess(lambda *_: Command(argv, {}), who=WHO, cwd=cwd, fence=fence)
            with contextlib.closing(tool):
                threading.Event().wait(1)
                assert (tool.exit_code, site.paths) == (None, [])
                tool.let_out()
                until(lambda: tool.exit_code is not None, within=10, what="the end")
        assert len(site.paths) == 1

    def test_there_may_be_hundreds_of_doors(self, site: Site) -> None:
        outside = ("127.0.0.1", int(site.url.rpartition(":")[2]))
        doors = tuple(Door(("127.77.0.1", 1000 + n), outside) for n in range(450))
        urls = [f"http://127.77.0.1:{1000 + n}/" for n in (0, 199, 200, 449)]
        assert ask(Fence(doors), *urls) == ["200"] * 4

    def test_a_place_that_refuses_resets_the_connection(self) -> None:
        fence = Fence((Door(("127.0.0.1", 80), ("127.0.0.1", 1)),))
        assert ask(fence, "http://127.0.0.1/") == ["ConnectionResetError"]

    def test_what_a_script_left_in_its_work_directory_is_not_written_through(
        self, tmp_path: Path
    ) -> None:
        precious = tmp_path / "precious"
        precious.write_text("ours")
        fence = Fence((), (("shop.example", "127.77.0.1"),))
        with work_directory(WHO) as cwd:
            (cwd / "wedsync-hosts").symlink_to(precious)
            argv = ["/bin/sh", "-c", "cat /etc/hosts >&2; echo x >> /etc/hosts || echo kept >&2"]
            tool = ToolProcess(lambda *_: Command(argv, {}), who=WHO, cwd=cwd, fence=fence)
            until(lambda: tool.exit_code is not None, within=10, what="the end")
            tool.close()
            assert [path.name for path in cwd.iterdir()] == ["wedsync-hosts"]
        assert "127.77.0.1 shop.example\n" in tool.tail
        assert tool.tail.endswith("kept\n") or WHO.uid is None
        assert precious.read_text() == "ours"

    def test_a_command_without_doors_reaches_nothing(self, site: Site, tmp_path: Path) -> None:
        with work_directory(WHO) as cwd:
            argv = [str(PYTHON), "-c", ASK, f"{site.url}/"]
            said = process.run(argv, {}, 10, who=WHO, cwd=cwd, has_network=False)
        assert said.stderr.endswith("ConnectionRefusedError\n")
        assert site.paths == []

    def test_processes_of_a_tool_reach_each_other_and_it_keeps_its_pipes(self) -> None:
        code = """
import os, socket, sys
one = socket.create_server(("127.0.0.1", 0))
if os.fork() == 0:
    socket.create_connection(one.getsockname()).sendall(b"hello")
    os._exit(0)
os.write(int(sys.argv[1]), one.accept()[0].recv(5))
os.write(int(sys.argv[1]), os.read(int(sys.argv[2]), 1))
"""

        def command(samples: int, go: int) -> Command:
            return Command([str(PYTHON), "-c", code, str(samples), str(go)], {})

        with work_directory(WHO) as cwd:
            tool = ToolProcess(command, who=WHO, cwd=cwd, fence=Fence())
            os.write(tool.go, b"!")
            until(lambda: tool.exit_code is not None, within=10, what="the end")
            assert tool.read() == b"hello!"
            tool.close()

    def test_what_is_sent_arrives_whole_both_ways_and_so_does_its_end(self) -> None:
        """An echo of 8 MiB that answers only after its asker has ended its half."""
        size = 8 << 20
        with socket.create_server(("127.0.0.1", 0)) as server:

            def echo() -> None:
                with server.accept()[0] as peer:
                    kept = b""
                    while chunk := peer.recv(1 << 16):
                        kept += chunk
                    peer.sendall(kept[::-1])

            thread = threading.Thread(target=echo, daemon=True)
            thread.start()
            code = f"""
import os, socket, sys
peer = socket.create_connection(("127.0.0.1", 80))
sent = os.urandom({size})
peer.sendall(sent)
peer.shutdown(socket.SHUT_WR)
got = b""
while chunk := peer.recv(1 << 16):
    got += chunk
print("whole" if got == sent[::-1] else len(got), file=sys.stderr)
"""
            door = Door(("127.0.0.1", 80), server.getsockname()[:2])
            assert run_behind(Fence((door,)), [str(PYTHON), "-c", code]) == "whole\n"
            thread.join(5)

    def test_somebody_who_is_not_root_gets_one_too(self, tmp_path: Path) -> None:
        """As the user nobody, who needs a user namespace around it."""
        with work_directory(WHO) as cwd:
            argv = [str(PYTHON), "-c", AS_NOBODY, str(LAUNCHER)]
            said = json.loads(process.run(argv, {}, 20, who=WHO, cwd=cwd).stderr)
        assert said["code"] == 0
        assert said["out"].splitlines() == [str(WHO.uid or os.getuid()), "10.1.2.3 shop.example"]
        assert said["doors"] == [["127.0.0.1", 80], ["10.1.2.3", 443]]

    def test_the_relay_goes_with_a_worker_that_was_killed(self, site: Site, tmp_path: Path) -> None:
        home, port = str(tmp_path), int(site.url.rpartition(":")[2])
        code = f"""
import threading
from pathlib import Path
from runs.fencing.fence import Door, Fence
from runs.host.identity import Identity
from runs.process import ToolProcess
from runs.tools import Command
fence = Fence((Door(("127.0.0.1", 80), ("127.0.0.1", {port})),))
argv = ["/bin/sh", "-c", "exec sleep 60"]
tool = ToolProcess(lambda *_: Command(argv, {{}}), who=Identity(), cwd=Path({home!r}), fence=fence)
print(tool.group, tool._relay.group, flush=True)
threading.Event().wait(60)
"""
        root = Path(__file__).parents[2]
        with subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=root
        ) as worker:
            assert worker.stdout is not None
            tool, relay = map(int, worker.stdout.readline().split())
            until(lambda: len(living.members(tool)) == 2, within=5, what="the tool and its warden")
            assert living.members(relay) == [relay]
            worker.kill()
        until(lambda: not living.members(tool), within=5, what="the tool's end")
        until(lambda: not living.members(relay), within=5, what="the relay's end")


AS_NOBODY = """
import json, os, socket, subprocess, sys
ours, theirs = socket.socketpair()
_, proof = os.pipe()
fence = {"listen": [["127.0.0.1", 80], ["10.1.2.3", 443]], "hosts": "10.1.2.3 shop.example",
         "control": theirs.fileno()}
terms = {"parent": os.getpid(), "uid": None, "gid": None, "memory": 1 << 30, "file": 1 << 20,
         "fence": fence, "fds": [theirs.fileno()], "proof": proof, "life": None}
done = subprocess.run(
    [sys.executable, "-I", "-S", sys.argv[1], json.dumps(terms), "/bin/sh", "-c",
     "id -u; cat /etc/hosts"],
    capture_output=True, text=True, pass_fds=(theirs.fileno(), proof))
theirs.close()
found = [socket.socket(fileno=one) for one in socket.recv_fds(ours, 16, 4)[1]]
said = {"code": done.returncode, "out": done.stdout, "doors": [one.getsockname() for one in found]}
print(json.dumps(said), file=sys.stderr)
"""
