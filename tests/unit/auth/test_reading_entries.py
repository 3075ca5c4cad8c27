"""What entries and answers of directories mean; escaping into filters and DNs."""

import pytest
from hypothesis import given, strategies as st
from ldap3.utils.dn import parse_dn

from kqi_hub.auth.closed_accounts import Closed, closed, wanted
from kqi_hub.auth.entries import group_names, groups_filter, read_person
from kqi_hub.auth.escape import dn_value, filter_value
from kqi_hub.auth.ldap_options import GroupAttributes, PersonAttributes
from kqi_hub.auth.password_policy import (
    REQUEST_OID,
    PolicyAnswer,
    PolicyError,
    read_answer,
)

NOW = 1_795_000_000.0
TODAY = int(NOW // 86_400)
DN = "uid=alice,ou=people,dc=example,dc=org"
ALL = PersonAttributes().closed


def ad_time(epoch_s: float) -> str:
    return str(int((epoch_s + 11_644_473_600) * 10_000_000))


@pytest.mark.parametrize(
    ("attribute", "value", "reason"),
    [
        ("shadowexpire", str(TODAY + 1), None),
        ("shadowexpire", str(TODAY), Closed.EXPIRED),
        ("shadowexpire", "0", Closed.EXPIRED),
        ("shadowexpire", "-1", None),
        ("shadowexpire", "never", Closed.DISABLED),
        ("shadowexpire", "", Closed.DISABLED),
        ("pwdaccountlockedtime", "000001010000Z", Closed.LOCKED),
        ("pwdaccountlockedtime", "20261101000000Z", None),
        ("nsaccountlock", "TRUE", Closed.DISABLED),
        ("nsaccountlock", "true", Closed.DISABLED),
        ("nsaccountlock", "false", None),
        ("logindisabled", "TRUE", Closed.DISABLED),
        ("useraccountcontrol", "512", None),
        ("useraccountcontrol", "514", Closed.DISABLED),
        ("useraccountcontrol", "66050", Closed.DISABLED),
        ("useraccountcontrol", "0x202", Closed.DISABLED),
        ("accountexpires", "0", None),
        ("accountexpires", "9223372036854775807", None),
        ("accountexpires", ad_time(NOW - 1), Closed.EXPIRED),
        ("accountexpires", ad_time(NOW + 60), None),
        ("accountexpires", "soon", Closed.DISABLED),
        ("somethingelse", "TRUE", None),
    ],
)
def test_each_directory_has_its_way_to_close_an_account(
    attribute: str, value: str, reason: Closed | None
) -> None:
    assert closed({attribute: [value]}, ALL, (), NOW) is reason


def test_the_sites_own_attribute_closes_when_true() -> None:
    entry = {"schacuserstatus": ["TRUE"], "employeetype": ["staff", "Left"]}
    assert closed(entry, ("schacUserStatus",), (), NOW) is Closed.DISABLED
    assert closed(entry, (), ("employeeType=left",), NOW) is Closed.DISABLED
    assert closed(entry, (), ("employeeType=gone", "a=b=c"), NOW) is None
    assert closed({"a": ["b=c"]}, (), ("a=b=c",), NOW) is Closed.DISABLED


def test_what_is_judged_is_asked_for() -> None:
    assert wanted(("nsAccountLock",), ("employeeType=left",)) == (
        "nsAccountLock",
        "employeeType",
    )


def entry(**changes: list[str]) -> dict[str, list[str]]:
    usual = {
        "uid": ["alice"],
        "uidnumber": ["20001"],
        "gidnumber": ["20001"],
        "cn": ["Alice Example"],
        "mail": ["alice@example.org", "second@example.org"],
    }
    return usual | changes


def test_a_person_is_read_with_the_first_name_and_mail_there_is() -> None:
    found = read_person(DN, entry(displayname=["  "]), "alice", PersonAttributes(), NOW)
    assert found is not None
    assert (found.person.display_name, found.person.mail, found.gid) == (
        "Alice Example",
        "alice@example.org",
        20001,
    )


def test_what_a_directory_says_is_shortened_and_cannot_move_a_cursor() -> None:
    odd = entry(displayname=["A\x1b[2J\u202e" + "x" * 1000], mail=["a\nb@example.org"])
    found = read_person(DN, odd, "alice", PersonAttributes(), NOW)
    assert found is not None
    assert found.person.display_name == "A[2J" + "x" * 196
    assert found.person.mail == "ab@example.org"


@pytest.mark.parametrize(
    "wrong",
    [
        {"uid": ["Alice"]},
        {"uid": ["alice "]},
        {"uid": []},
        {"uid": ["bob"]},
        {"uid": ["bob", "alice2"]},
        {"uidnumber": []},
        {"uidnumber": ["20001", "0"]},
        {"uidnumber": ["-1"]},
        {"uidnumber": ["0x0"]},
        {"uidnumber": ["\u0660"]},
        {"uidnumber": ["4294967295"]},
        {"uidnumber": ["9" * 5000]},
    ],
)
def test_an_entry_that_is_not_exactly_the_person_is_nobody(
    wrong: dict[str, list[str]],
) -> None:
    assert read_person(DN, entry(**wrong), "alice", PersonAttributes(), NOW) is None


def test_of_several_names_the_one_in_the_dn_counts() -> None:
    both = entry(uid=["alias", "alice"])
    assert read_person(DN, both, "alice", PersonAttributes(), NOW) is not None
    assert read_person(DN, both, "alias", PersonAttributes(), NOW) is None
    other = "cn=Alice,dc=example"
    assert read_person(other, both, "alice", PersonAttributes(), NOW) is None


def test_the_filter_for_groups_holds_name_dn_and_gid_escaped() -> None:
    dn = "uid=alice,ou=R&D (west)*,dc=example"
    found = read_person(dn, entry(), "alice", PersonAttributes(), NOW)
    assert found is not None
    made = groups_filter(found, GroupAttributes(filter="(objectClass=group)"))
    escaped = "uid=alice,ou=R&D \\28west\\29\\2a,dc=example"
    assert made == (
        f"(&(objectClass=group)(|(memberUid=alice)(member={escaped})"
        f"(uniqueMember={escaped})(gidNumber=20001)))"
    )


def test_group_names_are_sorted_and_unique() -> None:
    entries = [{"cn": ["b", "a"]}, {"cn": ["a"]}, {"cn": ["x" * 300, ""]}, {}]
    assert group_names(entries, GroupAttributes()) == ("a", "b")


@given(st.text())
def test_a_filter_value_is_plain_and_reads_back(text: str) -> None:
    if any("\ud800" <= char <= "\udfff" for char in text):
        return
    escaped = filter_value(text)
    assert not set(escaped) & set("*()\0")
    assert escaped.isascii()
    parts = escaped.split("\\")
    data = parts[0].encode() + b"".join(
        bytes.fromhex(part[:2]) + part[2:].encode() for part in parts[1:]
    )
    assert data.decode() == text


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1))
def test_a_dn_value_stays_one_value_of_one_attribute(text: str) -> None:
    parsed = parse_dn(f"uid={dn_value(text)},dc=example", escape=False)
    assert [(attribute, value) for attribute, value, _ in parsed] == [
        ("uid", dn_value(text)),
        ("dc", "example"),
    ]


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("alice", "alice"),
        ("a,b", "a\\,b"),
        ('a+b"c\\d<e>f;g=h', 'a\\+b\\"c\\\\d\\<e\\>f\\;g\\=h'),
        (" a ", "\\20a\\20"),
        ("#a", "\\#a"),
        ("a\0b\n", "a\\00b\\0a"),
        ("\u200b", "\\e2\\80\\8b"),
        ("é", "é"),
    ],
)
def test_dn_values_are_escaped_as_rfc_4514_says(text: str, escaped: str) -> None:
    assert dn_value(text) == escaped


def behera(value: str) -> dict[str, object]:
    return {"controls": {REQUEST_OID: {"value": bytes.fromhex(value)}}, "message": ""}


@pytest.mark.parametrize(
    ("result", "answer"),
    [
        (behera("3000"), PolicyAnswer()),
        (behera("3005a003800103"), PolicyAnswer(expires_in_s=3)),
        (behera("3007a00580030697 80".replace(" ", "")), PolicyAnswer(432_000)),
        (behera("3005a003810102"), PolicyAnswer(grace_left=2)),
        (behera("3003810102"), PolicyAnswer(error=PolicyError.CHANGE_AFTER_RESET)),
        (behera("3003810100"), PolicyAnswer(error=PolicyError.PASSWORD_EXPIRED)),
        (
            behera("3008a003800103810101"),
            PolicyAnswer(expires_in_s=3, error=PolicyError.ACCOUNT_LOCKED),
        ),
        # What is no such answer says nothing.
        (behera(""), PolicyAnswer()),
        (behera("30"), PolicyAnswer()),
        (behera("3080"), PolicyAnswer()),
        (behera("3084ffffffff"), PolicyAnswer()),
        (behera("30058100"), PolicyAnswer()),
        (behera("3003810163"), PolicyAnswer()),
        (
            behera("300b a009 8107ffffffffffffff".replace(" ", "")),
            PolicyAnswer(None, 0),
        ),
        (behera("0403810101"), PolicyAnswer()),
        ({"controls": {REQUEST_OID: {"value": None}}, "message": None}, PolicyAnswer()),
        ({"controls": {REQUEST_OID: "text"}, "message": ""}, PolicyAnswer()),
        ({}, PolicyAnswer()),
        # 389's older controls.
        (
            {"controls": {"2.16.840.1.113730.3.4.4": {"value": b"0"}}, "message": ""},
            PolicyAnswer(error=PolicyError.CHANGE_AFTER_RESET),
        ),
        (
            {
                "controls": {"2.16.840.1.113730.3.4.5": {"value": b"3600"}},
                "message": "",
            },
            PolicyAnswer(expires_in_s=3600),
        ),
        (
            {"controls": {"2.16.840.1.113730.3.4.5": {"value": b"x"}}, "message": ""},
            PolicyAnswer(),
        ),
        # Active Directory's diagnostic text.
        *(
            (
                {
                    "message": "80090308: LdapErr: DSID-0C090439, comment: "
                    f"AcceptSecurityContext error, data {code}, v4563\0"
                },
                answer,
            )
            for code, answer in {
                "52e": PolicyAnswer(),
                "532": PolicyAnswer(error=PolicyError.PASSWORD_EXPIRED),
                "533": PolicyAnswer(is_disabled=True),
                "701": PolicyAnswer(is_account_expired=True),
                "773": PolicyAnswer(error=PolicyError.CHANGE_AFTER_RESET),
                "775": PolicyAnswer(error=PolicyError.ACCOUNT_LOCKED),
            }.items()
        ),
    ],
)
def test_what_policies_say_is_understood(
    result: dict[str, object], answer: PolicyAnswer
) -> None:
    assert read_answer(result) == answer


@given(st.binary(max_size=40))
def test_no_answer_of_a_policy_can_make_us_fall(value: bytes) -> None:
    found = read_answer({"controls": {REQUEST_OID: {"value": value}}, "message": ""})
    assert found.expires_in_s is None or found.expires_in_s >= 0
