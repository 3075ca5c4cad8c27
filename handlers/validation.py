"""Turn what was sent into models, and pydantic's complaints into our own words."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from handlers.failures import FieldFault, InvalidFields, WrongContentType
from handlers.route import Model
from kqi_hub.domain.errors import InvalidInput
from kqi_hub.i18n import N_

M = TypeVar("M", bound=Model)
JSON_TYPE: Final = "application/json"
_SHOWN_FAULTS: Final = 20
_LONGEST_FIELD: Final = 100
# pydantic's name of a fault -> our sentence; `{...}` come from pydantic's context.
_SENTENCES: Final[Mapping[str, str]] = {
    "missing": N_("This is needed."),
    "extra_forbidden": N_("There is no such field."),
    "string_type": N_("This must be text."),
    "string_too_short": N_("This needs {min_length} or more characters."),
    "string_too_long": N_("This may have at most {max_length} characters."),
    "string_pattern_mismatch": N_("This has characters that are not allowed here."),
    "string_unicode": N_("This is not valid UTF-8 text."),
    "int_type": N_("This must be a whole number."),
    "int_parsing": N_("This must be a whole number."),
    "int_from_float": N_("This must be a whole number."),
    "float_type": N_("This must be a number."),
    "float_parsing": N_("This must be a number."),
    "bool_type": N_("This must be true or false."),
    "bool_parsing": N_("This must be true or false."),
    "enum": N_("This must be one of: {expected}."),
    "literal_error": N_("This must be one of: {expected}."),
    "greater_than_equal": N_("This must be at least {ge}."),
    "less_than_equal": N_("This must be at most {le}."),
    "list_type": N_("This must be a list."),
    "too_long": N_("This may have at most {max_length} entries."),
    "model_type": N_("This must be an object with named fields."),
    "model_attributes_type": N_("This must be an object with named fields."),
}
_SEND_JSON: Final = N_("Send one JSON object, in UTF-8.")
_OTHERWISE: Final = N_("This value is not accepted here.")


def parse_json(content_type: str, body: bytes) -> object:
    """Read a body as JSON; repeated names, NaN and other types are refused."""
    if content_type.partition(";")[0].strip().lower() != JSON_TYPE:
        raise WrongContentType(JSON_TYPE)
    try:
        return json.loads(
            body.decode(), parse_constant=_no_constant, object_pairs_hook=_no_repeats
        )
    except json.JSONDecodeError as error:
        raise InvalidInput(
            "The body is not JSON (line {line}, column {column}).",
            _SEND_JSON,
            line=error.lineno,
            column=error.colno,
        ) from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput(
            "The body is not JSON: not UTF-8, too deep, NaN, or a name twice.",
            _SEND_JSON,
        ) from error


def build(model: type[M], data: object) -> M:
    """Return the model, or raise InvalidFields that names every field at fault."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        raise InvalidFields(_faults(details)) from error


def flat(arguments: Mapping[str, Sequence[bytes]]) -> dict[str, str]:
    """Return the fields of a query or form; InvalidFields where one is twice or odd."""
    fields: dict[str, str] = {}
    faults = []
    for name, values in arguments.items():
        try:
            [value] = values
            fields[name] = value.decode()
        except ValueError:
            faults.append(FieldFault(name[:_LONGEST_FIELD], "value", _OTHERWISE))
    if faults:
        raise InvalidFields(tuple(faults[:_SHOWN_FAULTS]))
    return fields


def _faults(details: Sequence[ErrorDetails]) -> tuple[FieldFault, ...]:
    return tuple(_fault(detail) for detail in details[:_SHOWN_FAULTS])


def _fault(detail: ErrorDetails) -> FieldFault:
    name = ".".join(str(part) for part in detail["loc"])[:_LONGEST_FIELD]
    sentence = _SENTENCES.get(detail["type"], _OTHERWISE)
    values = dict(detail.get("ctx", {}))
    if "expected" in values:
        # pydantic writes "'a', 'b' or 'c'": a list needs no language.
        values["expected"] = str(values["expected"]).replace(" or ", ", ")
    return FieldFault(name, detail["type"], sentence, **values)


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON number")


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in an object")
    return found
