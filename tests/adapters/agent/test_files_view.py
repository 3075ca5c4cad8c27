"""What a page shows of a file, and what a download of it is."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.agent.conftest import Lab
from tests.adapters.agent.file_calls import ask, make, refused, said

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAA"
    "AABJRU5ErkJggg=="
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture
def place(lab: Lab) -> Path:
    return lab.folder / "workspace"


async def view(lab: Lab, name: str, **more: object) -> dict[str, Any]:
    answer = await ask(lab, "view", path=f"workspace/{name}", **more)
    assert answer.code == 200, answer.body
    found: dict[str, Any] = said(answer)
    return found


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [("a.txt", b"text", "text"), ("a.png", PNG, "image"), ("lies.txt", PNG, "image"),
     ("a.svg", SVG, "text"), ("a.html", b"<script>1</script>", "text"),
     ("a.csv", b"a,b\n1,2\n", "table"), ("a.bin", b"\0\1\2", "binary"),
     ("empty", b"", "text"), ("a.tsv", b"a\tb\n", "table"), ("BMW.txt", b"BMW", "text"),
     ("utf16.txt", "é\n".encode("utf-16"), "text"),
     ("a.ipynb", b'{"cells": []}', "notebook"), ("png.csv", b"\0", "binary")],
)  # fmt: skip
async def test_a_file_is_shown_as_what_it_is(
    lab: Lab, place: Path, name: str, content: bytes, kind: str
) -> None:
    make(place / name, content)
    shown = await view(lab, name)
    assert (shown["kind"], shown["size"]) == (kind, len(content))


async def test_pieces_of_a_text_together_are_the_text(lab: Lab, place: Path) -> None:
    text = "あいうえお한국어é\n" * 40_000
    make(place / "long.txt", text.encode())
    seen, start, size = "", 0, len(text.encode())
    while start < size:
        piece = await view(lab, "long.txt", **{"from": start})
        assert piece["from"] == start
        seen, start = seen + piece["text"], piece["to"]
    assert seen == text
    tail = await view(lab, "long.txt", **{"from": -100})
    assert text.endswith(tail["text"])
    assert "\ufffd" not in tail["text"]
    short = await view(lab, "long.txt", **{"from": 0, "to": 10})
    assert (short["text"], short["to"]) == ("あいう", 9)


@pytest.mark.parametrize(
    ("encoding", "raw"),
    [("cp932", "日本語".encode("cp932")), ("euc_jp", "日本語".encode("euc_jp")),
     ("cp949", "한국어".encode("cp949")), ("iso-8859-1", "café".encode("latin-1"))],
)  # fmt: skip
async def test_older_encodings_are_read_when_they_are_named(
    lab: Lab, place: Path, encoding: str, raw: bytes
) -> None:
    make(place / "old.txt", raw)
    assert (await view(lab, "old.txt"))["damaged"]
    shown = await view(lab, "old.txt", encoding=encoding)
    assert (shown["text"], shown["damaged"]) == (raw.decode(encoding), False)


async def test_rows_of_a_table_go_on_where_the_last_ones_ended(
    lab: Lab, place: Path
) -> None:
    rows = [[str(number), f"a,b\nof {number}", 'quo"ted', "é"] for number in range(999)]
    text = "".join(
        '{},"{}","{}",{}\n'.format(*(cell.replace('"', '""') for cell in row))
        for row in rows
    ).rstrip("\n")
    make(place / "t.csv", text.encode())
    seen: list[list[str]] = []
    start = 0
    while start < len(text.encode()):
        page = await view(lab, "t.csv", **{"from": start})
        assert 0 < len(page["rows"]) <= 200
        seen, start = seen + page["rows"], page["to"]
    assert seen == rows


@pytest.mark.parametrize(
    "raw", [b"a" * 300_000, b'"' + b"x\n" * 80_000, b"\xff,1\n" * 1000, b"\0,\0\n"]
)
async def test_tables_that_are_none_are_shown_to_their_end_all_the_same(
    lab: Lab, place: Path, raw: bytes
) -> None:
    make(place / "t.csv", raw)
    start = 0
    while start < len(raw):
        page = await view(lab, "t.csv", **{"from": start, "as": "table"})
        assert page["to"] > start
        start = page["to"]


async def test_a_notebook_is_shown_without_what_could_run(
    lab: Lab, place: Path
) -> None:
    image = base64.b64encode(PNG).decode()
    outputs = [
        {"output_type": "stream", "text": ["one\n", "two"]},
        {"output_type": "display_data",
         "data": {"text/html": "<script>1</script>", "text/plain": ["<table>"]}},
        {"output_type": "display_data", "data": {"text/html": "<script>1</script>"}},
        {"output_type": "display_data", "data": {"image/svg+xml": "<svg/>"}},
        {"output_type": "display_data", "data": {"image/png": image}},
        {"output_type": "error", "traceback": ["Trace", "back"]},
    ]  # fmt: skip
    book = {
        "metadata": {"kernelspec": {"language": "python"}},
        "cells": [
            {"cell_type": "markdown", "source": ["# <b>Title</b>"]},
            {"cell_type": "code", "source": "x", "execution_count": 3,
             "outputs": outputs},
        ],
    }  # fmt: skip
    make(place / "a.ipynb", json.dumps(book).encode())
    shown = await view(lab, "a.ipynb")
    assert (shown["language"], shown["total"]) == ("python", 2)
    kinds = [(one["kind"], one.get("text")) for one in shown["cells"][1]["outputs"]]
    assert kinds == [
        ("text", "one\ntwo"), ("text", "<table>"), ("hidden", "text/html"),
        ("hidden", "image/svg+xml"), ("image", None), ("error", "Trace\nback"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b'{"cells": 3}', b'{"cells": [3]}', b'{"cells": [{}]}', b"[" * 100_000,
     b'{"cells": [], "metadata": []}', b"\xff"],
)  # fmt: skip
async def test_a_broken_notebook_is_said_to_be_one(
    lab: Lab, place: Path, raw: bytes
) -> None:
    make(place / "a.ipynb", raw)
    answer = await ask(lab, "view", path="workspace/a.ipynb", **{"as": "notebook"})
    assert refused(answer) == (409, "no-notebook")


async def test_an_image_is_sent_to_be_drawn_and_svg_is_not(
    lab: Lab, place: Path
) -> None:
    make(place / "a.png", PNG)
    make(place / "a.svg", SVG)
    answer = await ask(lab, "view", path="workspace/a.png", **{"as": "image"})
    assert answer.body == PNG
    assert answer.headers["Content-Type"] == "image/png"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Disposition"].startswith("inline")
    answer = await ask(lab, "view", path="workspace/a.svg", **{"as": "image"})
    assert refused(answer) == (409, "no-image")


@pytest.mark.parametrize(
    ("asked", "code", "start", "end"),
    [("bytes=0-99", 206, 0, 100), ("bytes=100-", 206, 100, 3000),
     ("bytes=-10", 206, 2990, 3000), ("bytes=2999-9999", 206, 2999, 3000),
     ("bytes=-9999", 206, 0, 3000), ("bytes=0-1,5-6", 200, 0, 3000),
     ("bytes=9-3", 200, 0, 3000), ("lines=1-2", 200, 0, 3000),
     ("bytes=-", 200, 0, 3000)],
)  # fmt: skip
async def test_a_part_of_a_file_is_sent_when_it_is_asked_for(
    lab: Lab, place: Path, asked: str, code: int, start: int, end: int
) -> None:
    content = bytes(number % 251 for number in range(3000))
    make(place / "x", content)
    answer = await ask(lab, "content", path="workspace/x", headers={"Range": asked})
    assert (answer.code, answer.body) == (code, content[start:end])
    if code == 206:
        assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/3000"


async def test_a_download_goes_on_only_with_the_same_file(
    lab: Lab, place: Path
) -> None:
    make(place / "x", b"first")
    first = await ask(lab, "content", path="workspace/x")
    headers = {"Range": "bytes=2-", "If-Range": first.headers["ETag"]}
    answer = await ask(lab, "content", path="workspace/x", headers=headers)
    assert (answer.code, answer.body) == (206, b"rst")
    make(place / "x", b"other!")
    answer = await ask(lab, "content", path="workspace/x", headers=headers)
    assert (answer.code, answer.body) == (200, b"other!")


async def test_a_part_behind_the_end_does_not_exist(lab: Lab, place: Path) -> None:
    make(place / "x", b"abc")
    answer = await ask(
        lab, "content", path="workspace/x", headers={"Range": "bytes=3-"}
    )
    assert refused(answer) == (416, "range")
    assert answer.headers["Content-Range"] == "bytes */3"
    make(place / "empty", b"")
    assert (await ask(lab, "content", path="workspace/empty")).body == b""
    head = await ask(lab, "content", path="workspace/x", method="HEAD")
    assert (head.headers["Content-Length"], head.body) == ("3", b"")


@pytest.mark.parametrize(
    "query",
    [{"as": "pdf"}, {"from": "x"}, {"encoding": "rot13"}, {"to": -1}, {"as": "image"}],
)
async def test_views_that_make_no_sense_are_refused(
    lab: Lab, place: Path, query: dict[str, object]
) -> None:
    make(place / "x", b"abc")
    assert (await ask(lab, "view", path="workspace/x", **query)).code in {400, 409}
