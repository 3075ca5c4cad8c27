"""What was sent becomes a model, or sentences about its fields."""

from typing import Literal

import pytest
from pydantic import Field

from handlers.failures import InvalidFields, WrongContentType
from handlers.route import Model
from handlers.validation import build, flat, parse_json
from kqi_hub.domain.errors import InvalidInput


class Request(Model):
    """A request with a field of every common kind."""

    name: str = Field(min_length=2, max_length=5, pattern="^[a-z]+$")
    count: int = Field(0, ge=0, le=10)
    share: float = 0.5
    kind: Literal["a", "b"] = "a"
    words: tuple[str, ...] = Field((), max_length=2)
    flag: bool = False


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", None, "This must be text."),
        ("name", "a", "This needs 2 or more characters."),
        ("name", "abcdef", "This may have at most 5 characters."),
        ("name", "a b", "This has characters that are not allowed here."),
        ("name", "abc\n", None),
        ("count", "many", "This must be a whole number."),
        ("count", 1.5, "This must be a whole number."),
        ("count", -1, "This must be at least 0."),
        ("count", 11, "This must be at most 10."),
        ("share", "half", "This must be a number."),
        ("kind", "c", "This must be one of: 'a', 'b'."),
        ("words", "a", "This value is not accepted here."),
        ("words", ["a", "b", "c"], "This may have at most 2 entries."),
        ("flag", "perhaps", "This must be true or false."),
        ("other", 1, "There is no such field."),
    ],
)
def test_a_fault_is_said_in_words_of_ours(
    field: str, value: object, sentence: str | None
) -> None:
    data = {"name": "abc", field: value}
    if sentence is None:
        build(Request, data)
        return
    with pytest.raises(InvalidFields) as refused:
        build(Request, data)
    [fault] = refused.value.fields
    assert (fault.field, fault.message) == (field, sentence)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(InvalidFields) as refused:
        build(Request, {})
    assert [(f.field, f.message) for f in refused.value.fields] == [
        ("name", "This is needed.")
    ]


def test_a_flood_of_faults_is_cut() -> None:
    with pytest.raises(InvalidFields) as refused:
        build(Request, {f"x{n}": n for n in range(1000)} | {"y" * 10_000: 1})
    assert len(refused.value.fields) == 20
    assert all(len(fault.field) <= 100 for fault in refused.value.fields)


@pytest.mark.parametrize("data", [None, [], "text", 1, {1: 2}])
def test_what_is_no_object_is_refused(data: object) -> None:
    with pytest.raises(InvalidFields):
        build(Request, data)


@pytest.mark.parametrize(
    "type", ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON"]
)
def test_json_is_read(type: str) -> None:
    assert parse_json(type, '{"a": "日"}'.encode()) == {"a": "日"}


@pytest.mark.parametrize("type", ["", "text/json", "application/jsonp", "text/plain"])
def test_other_types_are_refused(type: str) -> None:
    with pytest.raises(WrongContentType):
        parse_json(type, b"{}")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[" * 50_000,
        b"NaN",
        b"Infinity",
        b'{"a":1,"a":1}',
        b"{'a':1}",
    ],
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        parse_json("application/json", body)


def test_where_json_breaks_is_told() -> None:
    with pytest.raises(InvalidInput, match=r"line 2, column 1"):
        parse_json("application/json", b"{\n")


def test_a_form_has_each_field_once() -> None:
    assert flat({"a": [b"1"], "b": ["日".encode()]}) == {"a": "1", "b": "日"}


@pytest.mark.parametrize("values", [[b"1", b"2"], [b"\xff"]])
def test_a_field_that_is_twice_or_no_text_is_refused(values: list[bytes]) -> None:
    with pytest.raises(InvalidFields) as refused:
        flat({"a": values})
    assert refused.value.fields[0].field == "a"
