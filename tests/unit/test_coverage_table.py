"""docs/coverage.csv tells of every capability whether it is here and what shows it."""

import ast
import csv
import unicodedata
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs" / "coverage.csv"
COLUMNS = ["id", "capability", "status", "where", "tests", "note"]

# The analysis of the source systems numbers what they can do; docs/README.md says
# what the letters stand for.
LAST_NUMBERS = {"K": 168, "J": 72, "G": 52, "N": 75, "KX": 131}
EXPECTED_IDS = [
    f"{letters}-{number}"
    for letters, last in LAST_NUMBERS.items()
    for number in range(1, last + 1)
]
HERE = {"done", "partly"}
STATUSES = {*HERE, "later", "not applicable"}
PLANNED_WORK = {
    "people and login",
    "queues and notebooks",
    "environments",
    "data and datasets",
    "training, inference, preprocessing",
    "accounting and billing",
    "instances",
    "administration",
}

Row = dict[str, str]


def read_table() -> list[Row]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def function_names(body: list[ast.stmt]) -> set[str]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    names = {node.name for node in body if isinstance(node, kinds)}
    return {name for name in names if name.startswith("test_")}


@cache
def names_in(file: Path) -> frozenset[str]:
    """Return what pytest can be asked for: `test_x` or `TestX::test_y`."""
    body = ast.parse(file.read_text(encoding="utf-8")).body
    methods = {
        f"{node.name}::{name}"
        for node in body
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test")
        for name in function_names(node.body)
    }
    return frozenset(function_names(body) | methods)


def is_a_test(node_id: str) -> bool:
    path, _, name = node_id.partition("::")
    file = ROOT / path
    inside = path.startswith("tests/") and ".." not in Path(path).parts
    return inside and file.is_file() and name in names_in(file)


def faults_of(row: Row) -> list[str]:
    status, where, note = row["status"], row["where"], row["note"]
    named = row["tests"].split()
    here = status in HERE
    held = bool(where) and all((ROOT / part).exists() for part in where.split())
    rules = {
        "capability is empty or too long": 0 < len(row["capability"]) <= 90,
        "unknown status": status in STATUSES,
        "later, but with which work?": status != "later" or where in PLANNED_WORK,
        "here, but `where` names no existing path": not here or held,
        "here, but no test shows it": not here or bool(named),
        "tests are named, but it is not here": here or not named,
        "partly, but what is missing?": status != "partly" or bool(note),
        "not applicable, but why?": status != "not applicable" or bool(note),
    }
    faults = [fault for fault, kept in rules.items() if not kept]
    return faults + [f"no such test: {name}" for name in named if not is_a_test(name)]


def has_control_character(text: str) -> bool:
    return any(unicodedata.category(character) == "Cc" for character in text)


def test_every_known_capability_is_there_once_and_in_order() -> None:
    assert [row["id"] for row in read_table()] == EXPECTED_IDS


def test_every_row_has_the_six_columns_and_no_control_characters() -> None:
    for row in read_table():
        assert list(row) == COLUMNS
        # DictReader gives None for a missing cell and a list for surplus ones.
        assert all(isinstance(cell, str) for cell in row.values()), row
        assert not any(has_control_character(cell) for cell in row.values()), row


def test_every_row_keeps_the_rules_of_its_status() -> None:
    faults = {row["id"]: faults_of(row) for row in read_table()}
    assert {name: found for name, found in faults.items() if found} == {}


THIS_TEST = (
    "tests/unit/test_coverage_table.py"
    "::test_every_known_capability_is_there_once_and_in_order"
)
HONEST = Row(
    id="K-0",
    capability="A thing",
    status="partly",
    where="docs/coverage.csv docs",
    tests=THIS_TEST,
    note="The other half",
)


def test_an_honest_row_has_no_faults() -> None:
    assert faults_of(HONEST) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"capability": ""}, "capability is empty or too long"),
        ({"capability": "x" * 91}, "capability is empty or too long"),
        ({"status": "Done", "tests": ""}, "unknown status"),
        ({"status": "later", "tests": ""}, "later, but with which work?"),
        ({"where": ""}, "here, but `where` names no existing path"),
        ({"where": "docs gone"}, "here, but `where` names no existing path"),
        ({"tests": ""}, "here, but no test shows it"),
        (
            {"status": "later", "where": "instances"},
            "tests are named, but it is not here",
        ),
        ({"note": ""}, "partly, but what is missing?"),
        (
            {"status": "not applicable", "tests": "", "note": ""},
            "not applicable, but why?",
        ),
        ({"tests": f"{THIS_TEST}_at_all"}, f"no such test: {THIS_TEST}_at_all"),
        (
            {"tests": "tests/unit/gone.py::test_x"},
            "no such test: tests/unit/gone.py::test_x",
        ),
        ({"tests": f"tests/../{THIS_TEST}"}, f"no such test: tests/../{THIS_TEST}"),
        (
            {"tests": "tests/unit/test_coverage_table.py::faults_of"},
            "no such test: tests/unit/test_coverage_table.py::faults_of",
        ),
    ],
)
def test_a_row_that_claims_too_much_is_noticed(change: Row, fault: str) -> None:
    assert faults_of(HONEST | change) == [fault]
