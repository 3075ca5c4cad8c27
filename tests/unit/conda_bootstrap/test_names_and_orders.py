"""Names and orders, as they come from the command line and from task folders."""

from typing import Any

import pytest

from conda_bootstrap.errors import BootstrapError, Refused, WrongUse
from conda_bootstrap.order import OPERATIONS, Order, from_json
from conda_bootstrap.places import check_listed_name, check_name

HOSTILE = [
    "",
    ".",
    "..",
    "../x",
    "a/b",
    "/etc",
    "a b",
    "a\n",
    "a\x00b",
    "A",
    "é",
    "-rf",
    ".hidden",
    "_x",
    "a" * 41,
    "$(id)",
    "a;b",
    "~",
    "\u0661",
    None,
    3,
    ["a"],
]


@pytest.mark.parametrize("name", ["a", "notebook", "torch-2.5", "0_x", "a" * 40])
def test_sensible_names_are_taken(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", HOSTILE)
def test_other_names_are_refused(name: object) -> None:
    with pytest.raises(WrongUse, match="name of an environment"):
        check_name(name)


@pytest.mark.parametrize("name", ["", "..", ".", "a/b", "a\nb", "a\x7f", "-x", 1])
def test_name_of_a_foreign_one_cannot_lead_elsewhere(name: object) -> None:
    with pytest.raises(WrongUse):
        check_listed_name(name)


@pytest.mark.parametrize("name", ["My Env", "Ünïcode", "_private", "a" * 200])
def test_names_that_conda_takes_can_be_worked_with(name: str) -> None:
    assert check_listed_name(name) == name


def test_order_of_a_task_is_read_whole() -> None:
    told = {
        "version": 1,
        "operation": "reset",
        "name": "notebook",
        "import": "text",
        "bring_back": True,
        "queue": "normal",  # for who submits it, not for us
    }
    assert from_json(told) == Order(
        "reset", "notebook", imported="text", bring_back=True
    )


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_can_be_ordered(operation: str) -> None:
    told = {"version": 1, "operation": operation, "name": "notebook"}
    assert from_json(told).operation == operation


def test_order_of_a_setup_needs_no_name() -> None:
    assert from_json({"version": 1, "operation": "setup"}).name == "notebook"


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"version": 2, "operation": "create", "name": "a"},
        {"version": 1, "name": "a"},
        {"version": 1, "operation": "format-disk", "name": "a"},
        {"version": 1, "operation": ["create"], "name": "a"},
        {"version": 1, "operation": "create"},
        {"version": 1, "operation": "create", "name": "../a"},
        {"version": 1, "operation": "delete", "name": ".."},
        {"version": 1, "operation": "create", "name": "a", "base": 3},
        {"version": 1, "operation": "create", "name": "a", "bring_back": "yes"},
        {"version": 1, "operation": "create", "name": "a", "base": "b", "lock": "c"},
    ],
)
def test_wrong_order_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(WrongUse):
        from_json(told)


@pytest.mark.parametrize(
    ("error", "code", "state"),
    [(BootstrapError, 1, "failed"), (WrongUse, 2, "refused"), (Refused, 3, "refused")],
)
def test_errors_have_the_promised_exit_codes(
    error: type[BootstrapError], code: int, state: str
) -> None:
    one = error("code", "What happened.", "What to do.")
    assert (one.exit_code, one.state) == (code, state)
    assert str(one) == "What happened. What to do."
