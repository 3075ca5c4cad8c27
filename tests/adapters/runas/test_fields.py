"""What each verb takes, and that the helper itself refuses everything else."""

from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from kqi_hub.runas import helper
from tests.adapters.runas.house import SUBMIT, House

CONFIG = helper.Config(
    callers=("kqi",), people_group="people", min_uid=1000,
    scratch_root="/scratch", slurm_bin="/opt/slurm/bin",
)  # fmt: skip
ALICE = helper.Person("alice", 20001, 20001, (20001,), "/home/alice", "/bin/bash")


def argv(verb: str, arguments: dict[str, object]) -> tuple[str, ...]:
    row = helper.VERBS[verb]
    return row.plan(CONFIG, ALICE, helper.check_fields(row, arguments)).argv


@pytest.mark.parametrize(
    ("verb", "arguments", "expected"),
    [
        ("submit", SUBMIT, ("sbatch", "--parsable", "--export=NIL", "--propagate=NONE",
                            "--job-name=kqi-1", "--chdir=/")),
        ("submit", SUBMIT | {"comment": "--uid=root 日本"},
         ("sbatch", "--parsable", "--export=NIL", "--propagate=NONE",
          "--job-name=kqi-1", "--chdir=/", "--comment=--uid=root 日本")),
        ("submit", SUBMIT | {"comment": "", "chdir": "/home/a b/作業"},
         ("sbatch", "--parsable", "--export=NIL", "--propagate=NONE",
          "--job-name=kqi-1", "--chdir=/home/a b/作業")),
        ("cancel", {"job_ids": [12, "13", "14_2"]}, ("scancel", "12", "13", "14_2")),
        ("signal", {"job_id": 12, "name": "USR1"},
         ("scancel", "--signal=USR1", "--full", "12")),
        ("control", {"job_id": "12_3", "action": "hold"}, ("scontrol", "hold", "12_3")),
        ("control", {"job_id": 12, "action": "requeue"}, ("scontrol", "requeue", "12")),
        ("time-limit", {"job_id": 12, "seconds": 1},
         ("scontrol", "update", "JobId=12", "TimeLimit=1")),
        ("time-limit", {"job_id": 12, "seconds": 3600},
         ("scontrol", "update", "JobId=12", "TimeLimit=60")),
        ("time-limit", {"job_id": 12, "seconds": 3601},
         ("scontrol", "update", "JobId=12", "TimeLimit=61")),
    ],
)  # fmt: skip
def test_a_verb_becomes_this_command_line(
    verb: str, arguments: dict[str, object], expected: tuple[str, ...]
) -> None:
    program, *rest = expected
    assert argv(verb, arguments) == (f"/opt/slurm/bin/{program}", *rest)


WRONG_TYPES: list[object] = [None, True, 1.5, [], {}, ["x"], {"x": 1}]
BAD_TEXTS: list[object] = [
    "", "a\n", "\na", "a\0", "a\r", "a\x1b[2J", "a\x85", "a\u2028b", "\ud800",
    "\u202etxt", "a\u200bb",
]  # fmt: skip
NOT_A_NAME: list[object] = [
    1, "-n", "--uid=root", "a b", "a/b", "a;b", "$(id)", "`id`", "a%j", "a,b", "a=b",
    "名前", "\uff41", "x" * 201, "x" * 1_000_000,
]  # fmt: skip
NOT_A_PATH: list[object] = [
    1, ".", "..", "a", "~", "~alice", "/..", "/a/../b", "/a/..", "/./a", "/a/.", "//",
    "//a", "/a//b", "/a/", "-/a", "/a\u3000b", "/" + "x" * 4096, "/" + "日" * 1400,
]  # fmt: skip
NOT_A_NUMBER: list[object] = [
    0, -1, 10**11, 10**300, "0", "-1", "+1", " 1", "1 ", "1,2", "1_", "_1", "1_2_3",
    "1_-1", "1.0", "1e3", "0x1", "\u0661", "\u00b2", "all", "--user=bob", "12_[1-3]",
    "1" * 11,
]  # fmt: skip
NOT_A_SCRIPT: list[object] = [
    1, "echo", " #!/bin/sh\n", "\ufeff#!/bin/sh\n", "\n#!/bin/sh\n", "#!/bin/sh\r\n",
    "#!/bin/sh\nx\0", "#!/bin/sh\n\ud800", "#!" + "x" * 1024 * 1024,
    "#!" + "日" * 350_000,
]  # fmt: skip
NOT_SECONDS: list[object] = [0, -1, "60", "UNLIMITED", 10**9, 10**300]
NOT_A_SIGNAL: list[object] = [
    9,
    "9",
    "SIGKILL",
    "usr1",
    "KILL ",
    "RTMIN",
    "KILL --batch",
]
NOT_AN_ACTION: list[object] = ["suspend", "HOLD", "hold 1", "update", "hold\n", "uhold"]

ANY_TEXT = [*WRONG_TYPES, *BAD_TEXTS]
NOT_NUMBERS: list[object] = [None, True, 1.5, {}, [], "12", 12, ["12"] * 1001, [["12"]]]
HOSTILE: list[tuple[str, dict[str, object], str, list[Any]]] = [
    ("submit", SUBMIT, "name", [*ANY_TEXT, *NOT_A_NAME]),
    ("submit", SUBMIT, "chdir", [*ANY_TEXT, *NOT_A_PATH]),
    ("submit", SUBMIT, "script", [*WRONG_TYPES, *NOT_A_SCRIPT]),
    ("submit", SUBMIT, "comment", [*WRONG_TYPES, *BAD_TEXTS[1:], "x" * 1025]),
    ("cancel", {}, "job_ids", NOT_NUMBERS),
    ("cancel", {}, "job_ids", [[one] for one in [*ANY_TEXT, *NOT_A_NUMBER]]),
    ("signal", {"name": "USR1"}, "job_id", [*ANY_TEXT, *NOT_A_NUMBER]),
    ("signal", {"job_id": 1}, "name", [*ANY_TEXT, *NOT_A_SIGNAL]),
    ("control", {"action": "hold"}, "job_id", [*ANY_TEXT, *NOT_A_NUMBER]),
    ("control", {"job_id": 1}, "action", [*ANY_TEXT, *NOT_AN_ACTION]),
    ("time-limit", {"seconds": 60}, "job_id", [*ANY_TEXT, *NOT_A_NUMBER]),
    ("time-limit", {"job_id": 1}, "seconds", [*ANY_TEXT, *NOT_SECONDS]),
]
CASES = [
    pytest.param(
        verb, {**others, key: value}, key, id=f"{verb}-{key}-{ascii(value)[:30]}"
    )
    for verb, others, key, values in HOSTILE
    for value in values
]


@pytest.mark.parametrize(("verb", "arguments", "field"), CASES)
def test_a_hostile_field_is_refused_by_the_helper(
    house: House, verb: str, arguments: dict[str, object], field: str
) -> None:
    answer = house.ask(verb, "alice", arguments)
    assert answer["error"] == "refused"
    assert answer["message"].startswith(f"{field}: ")
    assert answer["message"].isascii()
    assert len(answer["message"]) < 300


@pytest.mark.parametrize(
    ("verb", "arguments", "why"),
    [
        ("submit", {**SUBMIT, "uid": 0}, "unknown field 'uid'"),
        ("submit", {**SUBMIT, "": ""}, "unknown field ''"),
        ("submit", {**SUBMIT, "argv": ["--uid=0"]}, "unknown field 'argv'"),
        ("submit", {**SUBMIT, "\ud800": 1}, "unknown field"),
        (
            "submit",
            {k: v for k, v in SUBMIT.items() if k != "chdir"},
            "chdir is missing",
        ),
        ("submit", {}, "is missing"),
        ("make-scratch", {"path": "/etc"}, "unknown field 'path'"),
        ("cancel", [], "expected an object"),
        ("cancel", None, "expected an object"),
        ("cancel", "job_ids", "expected an object"),
        ("root", {}, "verb: expected one of"),
        ("SUBMIT", SUBMIT, "verb: expected one of"),
        ("submit\n", SUBMIT, "verb: expected one of"),
        ("", {}, "verb: expected one of"),
        ("__class__", {}, "verb: expected one of"),
        (None, {}, "verb: expected one of"),
        (["submit"], SUBMIT, "verb: expected one of"),
        ({"submit": 1}, SUBMIT, "verb: expected one of"),
        ("x" * 1_000_000, {}, "verb: expected one of"),
        ("ping", {}, "verb: expected one of"),  # for somebody: it becomes nobody
    ],
)
def test_an_unknown_verb_or_a_wrong_set_of_fields_is_refused(
    house: House, verb: object, arguments: object, why: str
) -> None:
    answer = house.ask(verb, "alice", arguments)
    assert answer["error"] == "refused"
    assert why in answer["message"]
    assert len(answer["message"]) < 300


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(deadline=None)  # the machine may be busy
@given(
    st.sampled_from(sorted(set(helper.VERBS) - {"make-scratch"})),
    st.dictionaries(
        st.sampled_from(["name", "script", "chdir", "comment", "job_ids", "job_id"])
        | st.text(),
        ANYTHING,
    ),
)
def test_whatever_is_sent_is_refused_or_becomes_harmless_words(
    verb: str, arguments: dict[str, Any]
) -> None:
    try:
        words = argv(verb, arguments)
    except helper.Refused:
        return
    assert all(word.isprintable() for word in words)
    assert not any(word.startswith("-") and "=" not in word for word in words[4:])
