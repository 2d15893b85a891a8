"""What the real tools may and may not do, whatever a script tries; and scripts that are broken."""

import base64
from dataclasses import dataclass
from datetime import timedelta

import pytest
import trustme

from runs import preparing
from runs.fencing import kernel
from runs.host import identity
from runs.host.workdir import work_directory
from runs.models import Target
from runs.request import Invalid
from runs.tools import Tool, ToolProblem, locust
from runs.tools.k6 import loading
from tests.runs.kept_in import kept_in, run_of
from tests.runs.tools.local import Site, serve, tool_here

pytestmark = [pytest.mark.tool, pytest.mark.django_db]

K6 = """
import http from 'k6/http';
import { sleep } from 'k6';
%s
export const options = { scenarios: { guests: {
  executor: 'constant-vus', vus: 1, duration: '2s', gracefulStop: '1s' } } };
export default function () { %s; sleep(0.2); }
"""
LOCUST = """
import os, sys
from locust import HttpUser, constant, task
%s

class Guest(HttpUser):
    wait_time = constant(0.2)

    @task
    def look(self):
        %s
"""
PAGE = """
import { browser } from 'k6/browser';
export const options = { scenarios: { page: {
  executor: 'shared-iterations', options: { browser: { type: 'chromium' } } } } };
export default async function () {
  const page = await browser.newPage();
  const said = await page.evaluate(() => new Promise((tell) => {
    const socket = new WebSocket('SOCKET');
    socket.onopen = socket.onerror = (event) => tell(event.constructor.name);
  }));
  console.log(`the page: ${said}`);
  await page.close();
}
"""
SECRET = "hush/hush+12345"
ANY = "0.0.0.0"  # this machine, and to Go no address of loopback


@dataclass(frozen=True)
class Case:
    tool: Tool
    frame: str

    def script(self, k6: str, locust: str, top: str = "") -> str:
        return self.frame % (top, k6 if self.tool.name == "k6" else locust)


@pytest.fixture(params=["k6", "locust"])
def case(request: pytest.FixtureRequest) -> Case:
    return Case(tool_here(request.param), {"k6": K6, "locust": LOCUST}[request.param])


@pytest.mark.parametrize("fenced", [True, False])
def test_a_script_made_for_another_host_runs_against_the_test_site(
    case: Case, authority: trustme.CA, ca: str, monkeypatch: pytest.MonkeyPatch, fenced: bool
) -> None:
    if not fenced:
        monkeypatch.setattr(kernel, "can_fence", lambda who: False)
    url = "https://shop.example/rsvp"
    script = case.script(f"http.get('{url}')", f"self.client.get('{url}', name='rsvp')")
    script = script.replace(
        "options = {", "options = { hosts: { 'other.example': '127.0.0.9' }, "
    )  # a script may have a map of its own
    with serve(authority.issue_cert("shop.example")) as site:
        hosts = {"shop.example": f"127.0.0.1:{site.port}"}
        run = run_of(case.tool, script, target="https://shop.example", hosts=hosts, ca=ca)
        with kept_in(case.tool, run) as kept:
            kept.follow()
            totals = kept.aggregator.totals()
    assert totals.requests > 3
    assert totals.errors == 0, kept.names


def test_a_secret_reaches_the_site_and_nothing_else(
    case: Case, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEDSYNC_SECRET_GUEST_API", SECRET)
    script = case.script(
        "const url = `${__ENV.TARGET}/of-${__ENV.TOKEN}`; console.error(url, __ENV.TOKEN);"
        "http.get(url, { tags: { name: `name ${__ENV.TOKEN}` } }); seen.add(1)",
        "token = os.environ['TOKEN']; print(token, file=sys.stderr); "
        "self.client.get(f'/of-{token}', name=f'name {token}')",
        top="import { Counter } from 'k6/metrics'; "
        "const seen = new Counter(`m_${__ENV.TOKEN.slice(-5)}_${__ENV.GUESTS}`);"
        if case.tool.name == "k6"
        else "",
    )
    run = run_of(
        case.tool,
        script,
        target=site.url,
        secrets={"TOKEN": "guest-api"},
        variables={"GUESTS": "many"},
    )
    with kept_in(case.tool, run) as kept:
        lines = kept.command_lines()
        kept.follow()
        kept.child.end()
        folder = kept.ready.job.workdir
        left = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert f"/of-{SECRET}" in site.paths
    for form in (SECRET, base64.b64encode(SECRET.encode()).decode()):
        assert form not in kept.names + lines
    assert "name [secret]" in kept.names
    assert SECRET.encode() not in left


def test_no_script_reaches_what_is_not_its_target(case: Case, site: Site) -> None:
    """By the tool's own client, and by a process beside it, to a port that nobody allowed."""
    ask = f"import urllib.request; urllib.request.urlopen('{site.url}/stolen', timeout=2)"
    script = case.script(
        f"http.get('{site.url.replace('127.0.0.1', '127.0.0.2')}/stolen')",
        f"import subprocess; subprocess.run([sys.executable, '-c', {ask!r}]); "
        f"self.client.get('{site.url}/stolen')",
    )
    Target.objects.all().delete()
    Target.objects.create(name="Another", hosts=["127.0.0.3"])
    with kept_in(case.tool, run_of(case.tool, script, target="http://127.0.0.3:9")) as kept:
        kept.follow()
        totals = kept.aggregator.totals()
    assert site.paths == []
    assert totals.requests == totals.errors > 0
    assert kept.ready.plan["enforced"][0].startswith(("Enforced by", "Held by the kernel"))


def test_no_module_of_k6s_is_fetched_before_the_calendar_has_said_yes(
    authority: trustme.CA, ca: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a script requires is fetched by k6 itself, which leaves its deny list aside for that."""
    monkeypatch.setattr(kernel, "can_fence", lambda who: False)
    tool = tool_here("k6")
    with serve(authority.issue_cert(ANY)) as site:
        ask = f"try {{ require('https://{ANY}:{site.port}/stolen.js') }} catch {{ }}"
        run = run_of(tool, K6 % (ask, "http.get(__ENV.TARGET)"), target=site.url, ca=ca)
        with work_directory(who := identity.choose(tool.find())) as workdir:
            preparing.prepare(run, tool, who, workdir)
    assert site.paths == []


@pytest.mark.browser
@pytest.mark.parametrize("is_allowed", [True, False])
def test_a_page_opens_a_socket_to_its_target_and_to_nothing_else(
    site: Site, is_allowed: bool
) -> None:
    """k6 looks at a page's requests alone; a guest's page may well open a socket elsewhere."""
    if not is_allowed:
        Target.objects.all().delete()
        Target.objects.create(name="Another", hosts=["127.0.0.3"])
    script = PAGE.replace("SOCKET", f"{site.url.replace('http', 'ws')}/socket")
    run = run_of(tool_here("k6"), script, duration=timedelta(minutes=11))
    run.target = site.url if is_allowed else "http://127.0.0.3:9"
    with kept_in(tool_here("k6"), run) as kept:
        kept.follow()
        assert "the page: Event" in kept.child.tail
    assert site.paths == (["/socket"] if is_allowed else [])


def test_while_a_script_is_loaded_there_is_no_network_at_all(site: Site) -> None:
    ask = f"import urllib.request\ntry: urllib.request.urlopen('{site.url}', timeout=2)\n"
    script = LOCUST % (f"{ask}except OSError as error: print(error)", "self.client.get('/')")
    tool = tool_here("locust")
    run = run_of(tool, script, target=site.url)
    with kept_in(tool, run) as kept:
        assert site.paths == []
        assert kept.ready.plan["bounded"]


def test_a_target_that_is_down_fails_every_request(case: Case) -> None:
    script = case.script("http.get(`${__ENV.TARGET}/`)", "self.client.get('/')")
    with kept_in(case.tool, run_of(case.tool, script)) as kept:
        kept.follow()
        totals = kept.aggregator.totals()
    assert totals.requests == totals.errors > 0
    assert totals.quantile_ms(0.5) is None


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("%PDF-1.4 \x01\x02\x03\xff", "cannot load the script"),
        ("}{", "cannot load the script"),
        ("import './nowhere.js'\nfrom nowhere import missing\n", "cannot load the script"),
    ],
)
def test_a_script_that_is_none_is_refused_in_the_tools_own_words(
    case: Case, script: str, said: str
) -> None:
    with (
        pytest.raises(ToolProblem, match=said) as caught,
        kept_in(case.tool, run_of(case.tool, script)),
    ):
        pass
    assert caught.value.code == "script_invalid"


def test_a_file_that_a_script_needs_and_has_not_is_named(case: Case) -> None:
    needs = {"k6": "const guests = open('./guests.csv');", "locust": "open('guests.csv')"}
    top = needs[case.tool.name]
    script = case.script("http.get(__ENV.TARGET)", "self.client.get('/')", top=top)
    with (
        pytest.raises(ToolProblem, match=r"guests\.csv"),
        kept_in(case.tool, run_of(case.tool, script)),
    ):
        pass
    with kept_in(case.tool, run_of(case.tool, script, files={"guests.csv": "Anna"})) as kept:
        assert kept.ready.plan["hosts"] == []


def test_a_script_that_never_ends_loading_is_ended_and_explained(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr({"k6": loading, "locust": locust}[case.tool.name], "_LOAD_S", 3.0)
    loops = {"k6": "while (true) {}", "locust": "while True: pass"}[case.tool.name]
    script = case.script("http.get(__ENV.TARGET)", "self.client.get('/')", top=loops)
    with (
        pytest.raises(ToolProblem, match="did not answer within 3 s") as caught,
        kept_in(case.tool, run_of(case.tool, script)),
    ):
        pass
    assert caught.value.code == "script_hangs"


def test_a_script_that_eats_memory_ends_and_harms_nobody(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEDSYNC_TOOL_MEMORY_MIB", "400")
    script = case.script(
        "const all = []; while (true) { all.push(new Array(100000).fill(1.5)) }",
        "all = [bytearray(1 << 20) for _ in range(2000)]",
    )
    script = script.replace("duration: '2s'", "duration: '25s'")
    # k6 ends of it; Locust's users raise it again and again.
    lasts = timedelta(seconds={"k6": 30, "locust": 6}[case.tool.name])
    with kept_in(case.tool, run_of(case.tool, script, duration=lasts)) as kept:
        code = kept.follow()
    said = case.tool.explain(code, kept.child.tail)
    assert "memory" in (said.sentence if case.tool.name == "k6" else kept.child.tail).lower()


def test_a_plan_of_k6_is_known_and_judged_before_it_runs() -> None:
    tool = tool_here("k6")
    script = (K6 % ("", "http.get(__ENV.TARGET)")).replace(
        "executor: 'constant-vus', vus: 1,",
        "executor: 'constant-arrival-rate', rate: 30, timeUnit: '1s', preAllocatedVUs: 4,",
    )
    with kept_in(tool, run_of(tool, script)) as kept:
        plan = kept.ready.plan
    assert (plan["nominal_s"], plan["peak_users"], plan["peak_rate"]) == (2.0, 4, 30.0)
    assert len(plan["digest"]) == 64
    Target.objects.create(name="Small", hosts=["127.0.0.1"], max_rate=29)
    with (
        pytest.raises(Invalid, match="at most 29 arrivals a second, and this plans 30"),
        kept_in(tool, run_of(tool, script)),
    ):
        pass
