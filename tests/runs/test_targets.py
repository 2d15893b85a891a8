from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs import targets
from runs.fencing import places
from runs.fencing.networks import complement, overlap, read_address, read_networks
from runs.fencing.places import Place
from runs.models import Target
from runs.request import Invalid
from runs.targets import Load, judge_load, judge_place
from tests.runs.conftest import request_for

EVERYWHERE = read_networks(["0.0.0.0/0", "::/0"])
STAGING = Target(pk=1, name="Staging", hosts=["*.staging.example", "10.1.0.0/16"], max_users=100)
ONE_HOST = Target(pk=2, name="Photos", hosts=["photos.staging.example", "10.1.0.5"])
SHUT = Target(pk=3, name="Production", hosts=["10.9.0.0/16"], is_open=False)
CAPPED = Target(
    name="Staging", hosts=[], max_users=1000, max_rate=50, max_duration=timedelta(hours=1)
)
ROWS = (STAGING, ONE_HOST, SHUT)


@contextmanager
def refused(field: str, said: str) -> Iterator[None]:
    with pytest.raises(Invalid, match=said) as caught:
        yield
    assert caught.value.field == field


def place(host: str, *addresses: str, port: int = 80) -> Place:
    return Place(host, port, tuple(map(ip_address, addresses or (host,))))


def allowed(host: str, *addresses: str) -> list[str]:
    return [one.name for one in judge_place(place(host, *addresses), ROWS, EVERYWHERE)]


def test_the_target_that_names_a_host_most_closely_is_the_one_that_counts() -> None:
    assert allowed("shop.staging.example", "10.1.0.9") == ["Staging"]
    assert allowed("photos.staging.example", "10.1.0.5") == ["Photos"]
    assert allowed("10.1.0.5") == ["Photos"]
    assert allowed("10.1.200.5") == ["Staging"]


def test_where_one_names_the_host_and_another_its_network_both_must_agree() -> None:
    assert allowed("photos.staging.example", "10.1.0.9") == ["Photos", "Staging"]
    with refused("target", "“Production” is closed"):
        allowed("shop.staging.example", "10.9.0.1")


def test_every_address_of_a_host_must_be_allowed() -> None:
    with refused("target", r"shop\.example, which is 192\.0\.2\.1 here: no target"):
        allowed("shop.example", "10.1.0.1", "192.0.2.1")


@pytest.mark.parametrize("host", ["staging.example", "xstaging.example", "a.staging.example.evil"])
def test_a_pattern_of_names_holds_for_names_under_it_alone(host: str) -> None:
    with refused("target", "no target names it"):
        allowed(host, "192.0.2.1")


def test_the_networks_of_the_installation_stay_the_outer_fence() -> None:
    with refused("target", r"allowed are 127\.0\.0\.0/8\."):
        judge_place(place("10.1.0.1"), ROWS, read_networks(["127.0.0.0/8"]))


@pytest.mark.parametrize(
    ("load", "field", "words"),
    [
        (Load(timedelta(hours=2)), "duration", "at most 1 h, and this test may take 2 h"),
        (Load(timedelta(1 / 24), users=1001), "users", "at most 1 000 users, .* brings 1 001"),
        (Load(timedelta(1 / 24), rate=50.5), "script", "at most 50 arrivals .* plans 50.5"),
    ],
)
def test_a_test_over_a_cap_is_told_which_and_what_to_do(load: Load, field: str, words: str) -> None:
    with refused(field, f"“Staging” allows {words}.*ask ops to raise it"):
        judge_load([CAPPED], load)


def test_a_test_at_its_caps_is_allowed_and_so_is_what_nobody_knows() -> None:
    judge_load([CAPPED], Load(timedelta(hours=1), 1000, 50.0))
    judge_load([CAPPED], Load(timedelta(hours=1)))


@pytest.mark.parametrize(
    ("url", "hosts", "site"),
    [
        ("http://127.0.0.1:9000", {}, "localhost:9000"),
        ("http://LOCALHOST:9000/path", {}, "localhost:9000"),
        ("https://[::1]", {}, "localhost:443"),
        ("http://127.0.0.2", {}, "127.0.0.2:80"),
        ("http://[2001:db8::0:1]:81", {}, "[2001:db8::1]:81"),
        ("http://[::ffff:10.0.0.1]:81", {}, "10.0.0.1:81"),
        ("https://shop.example/", {"shop.example": "127.0.0.1:9000"}, "localhost:9000"),
        ("https://Shop.Example./", {"shop.example": "10.0.0.7"}, "10.0.0.7:443"),
        ("https://shop.example", {"shop.example:443": "10.0.0.7:8443"}, "10.0.0.7:8443"),
    ],
)
def test_an_address_has_one_name_as_a_site(url: str, hosts: dict[str, str], site: str) -> None:
    assert places.locate(url, hosts).site == site


@pytest.mark.parametrize(
    "url", ["", "ftp://a", "http://", "http://a:99999", "http://a:0", "//a", "http://[::1", "a b"]
)
def test_what_is_no_address_of_the_web_is_no_target(url: str) -> None:
    with refused("target", "is no target; write an address like"):
        places.locate(url, {})


def test_a_target_holds_no_password() -> None:
    with refused("target", "must not hold a password"):
        places.locate("http://me:secret@127.0.0.1", {})


def test_a_host_without_an_address_is_told_so() -> None:
    with refused("target", r"shop\.invalid has no address here.*`hosts`"):
        places.locate("http://shop.invalid", {})


@pytest.mark.parametrize(
    ("name", "where", "words"),
    [
        ("127.0.0.1", "127.0.0.2", "is no name of a host"),
        ("*.example", "127.0.0.2", "is no name of a host"),
        ("a b", "127.0.0.2", "is no name of a host"),
        (f"{'a' * 60}/", "127.0.0.2", "is no name of a host"),
        ("a" * 254, "127.0.0.2", "is no name of a host"),
        ("shop.example", "127.0.0.1:0", "is no place for shop.example"),
        ("shop.example", "127.0.0.1:x", "is no place for shop.example"),
        ("shop.example", "127.0.0.1:0000099", "is no place for shop.example"),
        ("shop.example", "http://127.0.0.1", "is no place for shop.example"),
        ("shop.example", "", "is no place for shop.example"),
        ("shop.example", 7, "is no place for shop.example"),
    ],
)
def test_a_map_of_hosts_that_makes_no_sense_is_refused(name: str, where: Any, words: str) -> None:
    with refused("hosts", words):
        places.hosts_of({name: where})


def test_a_map_of_hosts_is_read() -> None:
    longest = "a" * 253
    read = places.hosts_of(
        {"Shop.example": "[::1]:9000", "a.example:81": "b.example", "c": "::1", longest: "d"}
    )
    assert read == {
        ("shop.example", None): ("::1", 9000),
        ("a.example", 81): ("b.example", None),
        ("c", None): ("::1", None),
        (longest, None): ("d", None),
    }


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (" Shop.Example ", "shop.example"),
        ("*.staging.example", "*.staging.example"),
        ("10.1.0.0/16", "10.1.0.0/16"),
        ("0::1", "::1"),
    ],
)
def test_a_pattern_is_kept_in_its_usual_form(text: str, kept: str) -> None:
    assert targets.check_pattern(text) == kept


@pytest.mark.parametrize(
    "text", ["", "*", "*.", "a.*.b", "a:80", "http://a", "10.1.0.1/16", "a b", 7]
)
def test_a_pattern_that_would_match_nothing_or_everything_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="(is no host: write|is no network)"):
        targets.check_pattern(text)


@given(st.lists(st.ip_addresses(), max_size=4), st.ip_addresses())
def test_the_complement_holds_all_that_is_outside_and_nothing_else(
    inside: list[Any], other: Any
) -> None:
    networks = read_networks(map(str, inside))
    outside = read_networks(complement(networks))
    for address in (*inside, other):
        denied = any(address in network for network in outside)
        assert denied == (address not in inside)


def test_what_is_in_both_of_two_fences() -> None:
    ones = read_networks(["10.0.0.0/8", "127.0.0.0/8", "::/0"])
    others = read_networks(["10.1.0.0/16", "0.0.0.0/0", "::1/128"])
    assert list(map(str, overlap(ones, others))) == [
        *("10.1.0.0/16", "10.0.0.0/8", "127.0.0.0/8", "::1/128")
    ]


def test_an_address_of_version_four_stays_one_however_it_is_written() -> None:
    assert str(read_address("::ffff:10.0.0.1")) == "10.0.0.1"
    assert read_address("shop.example") is None


@pytest.mark.django_db
class TestAdmitting:
    def test_this_machine_is_a_target_from_the_start(self) -> None:
        admitted = targets.admit(request_for(target="http://127.0.0.1:9000", users=5000))
        machine = Target.objects.get(name="This machine")
        assert (admitted.site, admitted.target_id) == ("localhost:9000", machine.pk)
        assert admitted.concurrency == 1

    def test_without_a_target_nothing_may_be_reached(self) -> None:
        Target.objects.all().delete()
        with refused("target", "no target names it. Ask ops to add one"):
            targets.admit(request_for(target="http://127.0.0.1:9000"))

    def test_a_cap_of_the_closest_target_holds(self) -> None:
        Target.objects.create(name="Shop", hosts=["127.0.0.1"], max_users=10, concurrency=3)
        assert targets.admit(request_for(users=10)).concurrency == 3
        with refused("users", "“Shop” allows at most 10 users"):
            targets.admit(request_for(users=11))

    def test_what_a_name_is_mapped_to_must_be_allowed_too(self, settings: Any) -> None:
        settings.WEDSYNC_TARGET_NETWORKS = ["0.0.0.0/0"]
        with refused("target", r"may not reach 10\.2\.0\.1: no target"):
            targets.admit(request_for(hosts={"cdn.example": "10.2.0.1"}))
        request = request_for(target="http://a.example", hosts={"a.example": "10.2.0.1"})
        with refused("target", r"may not reach 10\.2\.0\.1: no target"):
            targets.admit(request)
