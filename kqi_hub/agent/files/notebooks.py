"""Cells of a notebook for showing: texts and images, never anything that runs."""

import json
import os
from collections.abc import Mapping
from typing import Any, Final

from kqi_hub.agent.errors import Problem

_LARGEST: Final = 8 * 1024 * 1024
_MOST_SHOWN: Final = 2 * 1024 * 1024
_MOST_CELLS: Final = 1000
_IMAGES: Final = ("image/png", "image/jpeg", "image/gif", "image/webp")


def notebook_fields(file: int, size: int) -> Mapping[str, Any]:
    """Return the cells; HTML, SVG and JavaScript are only named."""
    if size > _LARGEST:
        raise Problem(
            413, "too-large",
            f"Notebooks of more than {_LARGEST >> 20} MiB are not shown: "
            "clear its outputs, or look at it as text.",
        )  # fmt: skip
    try:
        said = json.loads(os.pread(file, size, 0))
        cells = [_cell(one) for one in said["cells"][:_MOST_CELLS]]
        total = len(said["cells"])
        language = _language(said)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Problem(
            409,
            "no-notebook",
            "This is no notebook that can be read: look at its text.",
        ) from None
    return {"cells": _bounded(cells), "total": total, "language": language}


def _language(said: Mapping[str, Any]) -> str:
    about = said.get("metadata", {}).get("kernelspec", {})
    return str(about.get("language") or about.get("name") or "")[:40]


def _cell(said: Mapping[str, Any]) -> dict[str, Any]:
    outputs = said.get("outputs") or []
    number = said.get("execution_count")
    return {
        "type": said["cell_type"] if said["cell_type"] in _TYPES else "raw",
        "source": _text(said.get("source", "")),
        "number": number if isinstance(number, int) else None,
        "outputs": [_output(one) for one in outputs],
    }


_TYPES: Final = frozenset({"code", "markdown", "raw"})


def _output(said: Mapping[str, Any]) -> dict[str, str]:
    if said.get("output_type") == "stream":
        return {"kind": "text", "text": _text(said.get("text", ""))}
    if said.get("output_type") == "error":
        trace = "\n".join(map(str, said.get("traceback") or []))
        return {"kind": "error", "text": trace or str(said.get("evalue", ""))}
    data = said.get("data") or {}
    for kind in _IMAGES:
        if kind in data:
            return {"kind": "image", "type": kind, "data": _base64(data[kind])}
    if "text/plain" in data:
        return {"kind": "text", "text": _text(data["text/plain"])}
    return {"kind": "hidden", "text": ", ".join(sorted(map(str, data)))[:200]}


def _base64(said: object) -> str:
    return "".join(_text(said).split())


def _text(said: object) -> str:
    return "".join(map(str, said)) if isinstance(said, list) else str(said)


def _bounded(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out outputs beyond what a page can hold; sources come first."""
    room = _MOST_SHOWN
    for cell in cells:
        cell["source"] = cell["source"][: max(0, room)]
        room -= len(cell["source"])
    for cell in cells:
        for number, output in enumerate(cell["outputs"]):
            weight = sum(map(len, output.values()))
            if weight > room:
                cell["outputs"][number] = {"kind": "hidden", "text": "too large"}
            else:
                room -= weight
    return cells
