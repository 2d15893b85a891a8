import pytest

from integrations.addresses import read_networks, refusal


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("127.0.0.1", "loopback"),
        ("127.255.0.9", "loopback"),
        ("::1", "loopback"),
        ("0.0.0.0", "reserved"),
        ("::", "reserved"),
        ("10.1.2.3", "private"),
        ("172.16.0.1", "private"),
        ("192.168.1.1", "private"),
        ("fd00::1", "private"),
        ("fec0::1", "reserved"),
        ("192.0.2.1", "private"),
        ("169.254.169.254", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("100.64.0.1", "provider"),
        ("100.127.255.255", "provider"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "reserved"),
        ("::ffff:10.0.0.1", "private"),
        ("::ffff:169.254.169.254", "link-local"),
        ("::127.0.0.1", "reserved"),
        ("64:ff9b::10.0.0.1", "private"),
        ("64:ff9b::7f00:1", "loopback"),
        ("64:ff9b:1::808:808", "reserved"),
        ("2002:0a00:0001::1", "private"),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "private"),
        ("2001:db8::1", "private"),
    ],
)
def test_what_is_not_public_is_refused_by_its_kind(address: str, kind: str) -> None:
    assert kind in refusal(address, ())


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"],
)
def test_what_is_public_may_be_called(address: str) -> None:
    assert refusal(address, ()) == ""


def test_an_allowed_network_may_be_called_and_no_other() -> None:
    allow = read_networks(["10.1.0.0/16"])

    assert refusal("10.1.2.3", allow) == ""
    assert refusal("::ffff:10.1.2.3", allow) == ""
    assert refusal("64:ff9b::10.1.2.3", allow) == ""
    assert refusal("10.2.0.1", allow)
    assert refusal("::1", allow)
