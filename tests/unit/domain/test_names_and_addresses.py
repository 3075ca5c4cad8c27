"""Names, addresses, throttle sums and recovery codes: pure rules."""

import pytest
from hypothesis import given, strategies as st

from kqi_hub.domain.address import client_address, counted_address, networks
from kqi_hub.domain.names import counting_name, is_name, loggable_name, typed_name
from kqi_hub.domain.recovery import fingerprint, matches, new_codes
from kqi_hub.domain.throttle import (
    ALLOWANCES,
    FORGOTTEN_AFTER_S,
    Key,
    Tally,
    counted,
    refusal_s,
    wait_s,
)

PROXIES = networks(("127.0.0.1", "10.0.0.0/8", "2001:db8:1::/48"))


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("alice", "alice"),
        (" Alice\t\n", "alice"),
        ("s.mith-2_x", "s.mith-2_x"),
        ("2alice", "2alice"),
        ("_svc", "_svc"),
        ("a" * 64, "a" * 64),
        ("a" * 65, None),
        (" " * 90 + "alice", None),
        ("", None),
        ("   ", None),
        ("20231234", None),
        ("-alice", None),
        (".", None),
        ("..", None),
        ("ali ce", None),
        ("alice$", None),
        ("alice@example.org", None),
        ("\u0410lice", None),
        ("\uff21lice", None),
        ("\u212aate", None),  # KELVIN SIGN, whose lower case is our k
        ("\u017fam", None),  # LONG S, whose upper case is our S
        ("alice\0", None),
        ("alice\u200b", None),
        ("alice\u00a0", None),
        ("\ud800", None),
    ],
)
def test_a_typed_name_is_cleaned_or_nobodys(typed: str, name: str | None) -> None:
    assert typed_name(typed) == name


@given(st.text())
def test_whatever_is_typed_counts_and_is_logged_in_short(typed: str) -> None:
    assert len(counting_name(typed)) <= 64
    shown = loggable_name(typed)
    assert len(shown) <= 64
    assert shown.isprintable()
    name = typed_name(typed)
    assert name is None or (is_name(name) and counting_name(typed) == name == shown)


def test_different_nonsense_counts_apart() -> None:
    assert counting_name("*") != counting_name("**")
    assert counting_name("*") == counting_name("*")
    assert not is_name(counting_name("*"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", None, "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # who is he to say so
        ("127.0.0.1", None, "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "198.51.100.1, 10.1.2.3", "198.51.100.1"),
        ("127.0.0.1", "10.1.2.3, 10.1.2.4", "10.1.2.3"),
        ("127.0.0.1", "198.51.100.1,unknown", "127.0.0.1"),
        ("127.0.0.1", "unknown,198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "198.51.100.1:8080", "127.0.0.1"),
        ("127.0.0.1", "x" * 100_000, "127.0.0.1"),
        ("127.0.0.1", "1.1.1.1," * 10_000 + "198.51.100.1", "198.51.100.1"),
        ("::ffff:127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
        ("2001:db8:1::5", "2001:DB8:0:0::1", "2001:db8::1"),
        ("fe80::1%eth0", None, "fe80::1"),
        ("/run/hub.sock", "198.51.100.1", "unknown"),
        ("", "198.51.100.1", "unknown"),
    ],
)
def test_only_a_trusted_proxy_says_where_somebody_is(
    peer: str, forwarded: str | None, address: str
) -> None:
    assert client_address(peer, forwarded, PROXIES) == address


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("198.51.100.1", "198.51.100.1"),
        ("6.6.6.6, 198.51.100.1", "198.51.100.1"),
        ("6.6.6.6, 127.0.0.1", "127.0.0.1"),
        ("6.6.6.6, ::1", "::1"),
        ("6.6.6.6, 127.0.0.1, 127.0.0.1", "127.0.0.1"),
    ],
)
@pytest.mark.parametrize("peer", ["127.0.0.1", "::1"])
def test_the_hubs_own_proxy_is_believed_and_nobody_behind_it(
    peer: str, forwarded: str, address: str
) -> None:
    assert client_address(peer, forwarded, ()) == address


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("unknown", "unknown"),
        ("x\n", "unknown"),
    ],
)
def test_a_home_is_one_place(address: str, place: str) -> None:
    assert counted_address(address) == place


@pytest.mark.parametrize("text", ["10.0.0.1/8", "example.org", "", "10.0.0.0/33"])
def test_a_network_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"network|address|netmask|host bits"):
        networks((text,))


@pytest.mark.parametrize(
    ("key", "failures", "waits"),
    [
        (Key.PAIR, 5, 0),
        (Key.PAIR, 6, 1),
        (Key.PAIR, 7, 2),
        (Key.PAIR, 10, 16),
        (Key.PAIR, 14, 256),
        (Key.PAIR, 15, 300),
        (Key.PAIR, 10**9, 300),
        (Key.PERSON, 10, 0),
        (Key.PERSON, 11, 1),
        (Key.PERSON, 17, 60),
        (Key.ADDRESS, 20, 0),
        (Key.ADDRESS, 21, 1),
        (Key.ADDRESS, 30, 300),
    ],
)
def test_waits_grow_as_documented(key: Key, failures: int, waits: int) -> None:
    assert wait_s(Tally(failures, 1000.0), ALLOWANCES[key], 1000.0) == waits


def test_a_quiet_time_forgets() -> None:
    tally = Tally(100, 1000.0)
    later = 1000.0 + FORGOTTEN_AFTER_S
    assert wait_s(tally, ALLOWANCES[Key.PAIR], later) == 0
    assert counted(tally, later) == Tally(1, later)
    assert counted(tally, later - 1) == Tally(101, later - 1)


def test_a_known_address_answers_for_itself_only() -> None:
    tallies = {Key.PERSON: Tally(50, 1000.0), Key.ADDRESS: Tally(50, 1000.0)}
    assert refusal_s(tallies, known_address=True, now=1000.0) == 0
    assert refusal_s(tallies, known_address=False, now=1000.0) == 300
    guessing_here = tallies | {Key.PAIR: Tally(8, 1000.0)}
    assert refusal_s(guessing_here, known_address=True, now=1000.0) == 4


def test_recovery_codes_are_ten_and_can_be_read_aloud() -> None:
    codes = new_codes()
    assert len(set(codes)) == 10
    for code in codes:
        assert [len(group) for group in code.split("-")] == [4, 4, 4]
        assert not set(code) & set("01OILU")
        assert not code.replace("-", "").isdigit()


def test_a_recovery_code_is_found_by_its_fingerprint_however_it_is_typed() -> None:
    code, other = new_codes()[:2]
    kept = fingerprint(code)
    assert code not in kept
    assert kept != fingerprint(code)
    for typed in (code, code.lower(), code.replace("-", ""), f" {code} "):
        assert matches(typed, kept)
    for typed in (other, code[:-1], "", code + "A"):
        assert not matches(typed, kept)
