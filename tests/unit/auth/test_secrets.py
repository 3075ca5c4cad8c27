"""One-time codes, sealed secrets and tickets."""

import re
import time
from collections.abc import Sequence

import pyotp
import pytest
import segno
from cryptography.fernet import Fernet

from kqi_hub.auth.codes import OneTimeCodes
from kqi_hub.auth.secretbox import SecretBox, is_key, new_key
from kqi_hub.auth.tickets import LONGEST_AGE_S, SealedTickets
from kqi_hub.domain.enrolment import Ticket
from kqi_hub.domain.errors import SecretUnreadable, SettingsError

# The secret and moments of RFC 6238, appendix B; its codes have eight digits.
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
NOW = 1_795_000_000.0


class Keys:
    """A key file in memory."""

    def __init__(self, *keys: str) -> None:
        self.keys: Sequence[str] = keys or (new_key(),)
        self.reads = 0

    def read(self) -> Sequence[str]:
        self.reads += 1
        return self.keys

    def box(self) -> SecretBox:
        return SecretBox(self.read, lambda: self.keys)


@pytest.mark.parametrize(
    ("moment", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924")],
)
def test_codes_are_those_of_the_standard(moment: int, code: str) -> None:
    step = OneTimeCodes("Site").step(RFC_SECRET, code, moment)
    assert step == moment // 30


@pytest.mark.parametrize("steps", [-2, -1, 0, 1, 2])
def test_one_step_either_way_is_forgiven(steps: int) -> None:
    codes = OneTimeCodes("Site")
    secret = codes.new_secret()
    code = pyotp.TOTP(secret).at(NOW, counter_offset=steps)
    expected = int(NOW // 30) + steps if abs(steps) <= 1 else None
    assert codes.step(secret, code, NOW) == expected


@pytest.mark.parametrize(
    "code",
    [
        "",
        "12345",
        "1234567",
        "12 345",
        "abcdef",
        "\u0661" * 6,
        "²" * 6,
        "-12345",
        "1e5000",
    ],
)
def test_what_is_no_code_is_wrong(code: str) -> None:
    assert OneTimeCodes("Site").step(RFC_SECRET, code, NOW) is None


def test_secrets_are_long_and_different() -> None:
    made = {OneTimeCodes("Site").new_secret() for _ in range(50)}
    assert len(made) == 50
    assert all(len(secret) * 5 == 160 for secret in made)


def test_an_invitation_carries_the_secret_three_ways() -> None:
    shown = OneTimeCodes("Site of R&D").invitation("alice", RFC_SECRET)
    parsed = pyotp.parse_uri(shown.uri)
    assert isinstance(parsed, pyotp.TOTP)
    assert (parsed.secret, parsed.name, parsed.issuer) == (
        RFC_SECRET,
        "alice",
        "Site of R&D",
    )
    assert shown.key.replace(" ", "") == RFC_SECRET
    assert max(map(len, shown.key.split())) == 4
    assert shown.qr_svg.startswith("<svg")
    assert 'viewBox="0 0 ' in shown.qr_svg
    # Strict content policies allow neither scripts nor style attributes.
    assert "script" not in shown.qr_svg
    assert "style" not in shown.qr_svg
    assert RFC_SECRET not in repr(shown)


def modules(svg: str) -> set[tuple[int, int]]:
    """Return the dark squares of a drawn QR code, by row and column from its corner."""
    drawn = re.search(r'stroke="#000" d="M(\d+) (\d+)\.5([^"]*)"', svg)
    assert drawn is not None
    border = int(drawn[1])
    column, row, dark = border, int(drawn[2]), set()
    for move, along, down in re.findall(r"([hm])(-?\d+)(?: (-?\d+))?", drawn[3]):
        if move == "h":
            dark |= {(row - border, column - border + n) for n in range(int(along))}
        column, row = column + int(along), row + int(down or 0)
    return dark


def test_the_picture_is_the_qr_code_of_the_address() -> None:
    shown = OneTimeCodes("Site of R&D").invitation("alice", RFC_SECRET)
    right = segno.make(shown.uri, error="m", micro=False).matrix
    assert modules(shown.qr_svg) == {
        (row, column)
        for row, squares in enumerate(right)
        for column, is_dark in enumerate(squares)
        if is_dark
    }


def test_what_is_sealed_opens_for_its_purpose_only() -> None:
    box = Keys().box()
    sealed = box.seal("pässwort\0x", "totp alice")
    assert box.open(sealed, "totp alice") == "pässwort\0x"
    for purpose in ("totp bob", "totp", "", "totp alice "):
        with pytest.raises(SecretUnreadable):
            box.open(sealed, purpose)
    with pytest.raises(ValueError, match="NUL"):
        box.seal("text", "a\0b")


@pytest.mark.parametrize("spoilt", ["", "x", "gAAAAA", "é", "\ud800"])
def test_what_was_not_sealed_does_not_open(spoilt: str) -> None:
    with pytest.raises(SecretUnreadable):
        Keys().box().open(spoilt, "totp alice")


def test_a_changed_letter_is_noticed() -> None:
    box = Keys().box()
    sealed = box.seal("text", "p")
    spoilt = sealed[:30] + ("A" if sealed[30] != "A" else "B") + sealed[31:]
    with pytest.raises(SecretUnreadable):
        box.open(spoilt, "p")


def test_a_rotation_needs_no_restart() -> None:
    keys = Keys()
    box = keys.box()
    sealed = box.seal("text", "p")
    old, fresh = keys.keys[0], new_key()
    keys.keys = (fresh, old)
    assert box.open(sealed, "p") == "text"
    resealed = box.resealed(sealed)
    keys.keys = (fresh,)
    assert box.open(resealed, "p") == "text"
    assert Fernet(fresh).decrypt(box.seal("new", "p").encode()) == b"p\0new"
    with pytest.raises(SecretUnreadable):
        box.open(sealed, "p")
    with pytest.raises(SecretUnreadable):
        box.resealed(sealed)


def test_the_key_file_is_read_when_it_changes_and_not_otherwise() -> None:
    keys = Keys()
    box = keys.box()
    for _ in range(10):
        box.seal("text", "p")
    assert keys.reads == 1


@pytest.mark.parametrize(
    "line",
    [
        "",
        "password",
        "A" * 44,
        new_key() + "x",
        new_key()[:-1],
        "ß" * 44,
        " " + new_key(),
    ],
    ids=["empty", "word", "short", "long", "cut", "letters", "blank first"],
)
def test_a_line_that_is_no_key_is_refused_by_its_number(line: str) -> None:
    if is_key(line):  # 44 letters A are 33 bytes, which is not it
        pytest.fail("this should be no key")
    with pytest.raises(SettingsError, match="Line 2") as caught:
        Keys(new_key(), line).box()
    assert not line or line not in str(caught.value)


def test_a_ticket_comes_back_as_it_was_for_its_stage() -> None:
    tickets = SealedTickets(Keys().box())
    ticket = Ticket("enrol", "alice", "code", "SECRET")
    text = tickets.issue(ticket)
    assert tickets.read(text, "enrol") == ticket
    assert tickets.read(text, "change-password") is None
    assert "SECRET" not in text
    assert "SECRET" not in repr(ticket)


def test_tickets_cannot_be_made_of_other_secrets() -> None:
    box = Keys().box()
    tickets = SealedTickets(box)
    for text in ("", "x", "\ud800", box.seal('["enrol", "alice", "", ""]', "other")):
        assert tickets.read(text, "enrol") is None


def test_a_ticket_is_good_for_a_quarter_of_an_hour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tickets = SealedTickets(Keys().box())
    text = tickets.issue(Ticket("enrol", "alice"))
    began = time.time()
    for later, is_good in ((LONGEST_AGE_S - 5, True), (LONGEST_AGE_S + 5, False)):
        monkeypatch.setattr(time, "time", lambda later=later: began + later)
        assert (tickets.read(text, "enrol") is not None) is is_good
