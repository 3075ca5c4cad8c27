"""What a file looks like on the page of files, by what it is; and the page's looks."""

import json
import struct
import zlib
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.files_lab import FILES, FilesLab, VisitFiles, act, line_of, open_line
from tests.browser.gallery import fits, lost_references, violations

VIEW = "#files-file"


def png(width: int = 64, height: int = 48) -> bytes:
    """Return a picture with a gradient."""
    rows = b"".join(
        b"\0" + bytes(v for x in range(width) for v in (x * 4, y * 5, 160))
        for y in range(height)
    )

    def chunk(kind: bytes, body: bytes) -> bytes:
        seal = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + seal

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + parts + chunk(b"IEND", b"")


NOTEBOOK = {
    "metadata": {"kernelspec": {"language": "python", "name": "python3"}},
    "nbformat": 4, "nbformat_minor": 5,
    "cells": [
        {"cell_type": "markdown", "source": [
            "# First look\n", "Some **strong** words, `code`, ",
            "a [link](https://example.org) and a ",
            "[bad one](javascript:alert(1)).\n", "\n", "- one\n", "- two <b>\n"]},
        {"cell_type": "code", "execution_count": 3, "source": "print('hello')\nimage",
         "outputs": [
             {"output_type": "stream", "name": "stdout", "text": "hello\n"},
             {"output_type": "display_data", "data": {
                 "image/png": b64encode(png()).decode(), "text/plain": "<Figure>"}},
             {"output_type": "error", "ename": "ValueError", "evalue": "no",
              "traceback": ["\u001b[31mValueError\u001b[0m: no"]},
             {"output_type": "display_data",
              "data": {"text/html": "<script>alert(1)</script>"}}]},
    ],
}  # fmt: skip


def test_a_csv_is_a_table_that_can_be_read_as_text_too(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    rows = "".join(f"{n},{n * 1.5},<i>{n}</i>\n" for n in range(1000))
    files.write("workspace/metrics.csv", "step,loss,note\n" + rows)
    page = visit_files()
    open_line(page, "metrics.csv")
    view = page.locator(VIEW)
    expect(view.locator("thead th")).to_have_text(["#", "step", "loss", "note"])
    expect(view.locator("tbody tr").first).to_contain_text("<i>0</i>")
    expect(view).to_contain_text("Rows 1")
    view.get_by_role("button", name="Next").click()
    expect(view.locator("tbody tr").first.locator("td").nth(1)).not_to_have_text("0")
    seen = int(view.locator("tbody tr").first.locator("td").first.inner_text())
    step = int(view.locator("tbody tr").first.locator("td").nth(1).inner_text())
    assert seen == step + 1
    view.get_by_role("button", name="Previous").click()
    expect(view.locator("tbody tr").first.locator("td").nth(1)).to_have_text("0")
    view.get_by_role("button", name="As text").click()
    expect(view.locator("code")).to_contain_text("step,loss,note")
    assert violations(page) == []


def test_a_notebook_is_read_and_nothing_in_it_runs(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    files.write("workspace/look.ipynb", json.dumps(NOTEBOOK))
    page = visit_files()
    open_line(page, "look.ipynb")
    view = page.locator(VIEW)
    expect(view.get_by_role("heading", name="First look")).to_be_visible()
    expect(view.locator("strong")).to_have_text("strong")
    expect(view.get_by_role("link", name="link")).to_have_attribute(
        "rel", "noopener noreferrer"
    )
    assert view.locator('a[href^="javascript"]').count() == 0
    expect(view).to_contain_text("[bad one](javascript:alert(1))")
    expect(view).to_contain_text("In [3]")
    expect(view.locator(".is-output code").first).to_have_text("hello\n")
    expect(view.locator(".is-error code")).to_have_text("ValueError: no")
    expect(view.get_by_role("img")).to_have_js_property("naturalWidth", 64)
    expect(view).to_contain_text("Output that is not shown here: text/html")
    assert page.locator("main script").count() == 0


def test_an_image_is_drawn_and_a_program_that_says_it_is_one_is_not(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    files.write("workspace/plot.png", png())
    files.write("workspace/plot.svg", '<svg xmlns="x"><script>alert(1)</script></svg>')
    page = visit_files()
    open_line(page, "plot.png")
    image = page.locator(VIEW).get_by_role("img")
    expect(image).to_have_js_property("naturalWidth", 64)
    expect(image).to_have_attribute("alt", "plot.png")
    page.go_back()
    open_line(page, "plot.svg")
    expect(page.locator(f"{VIEW} code")).to_contain_text("<script>alert(1)</script>")


def test_what_is_no_text_is_said_to_be_none(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    files.write("workspace/weights.bin", bytes(range(256)) * 10)
    page = visit_files()
    open_line(page, "weights.bin")
    expect(page.locator(VIEW)).to_contain_text("This is not text.")
    expect(page.get_by_role("button", name="Edit")).to_be_hidden()


def test_a_log_is_opened_at_its_end_and_followed(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    log = files.write("log/7.log", "".join(f"line {n}\n" for n in range(100_000)))
    page = visit_files("&at=scratch&path=log/7.log")
    view = page.locator(VIEW)
    expect(view.locator("code")).to_contain_text("line 99999")
    expect(view.locator("code")).not_to_contain_text("line 1\n")
    view.get_by_label("Follow the end").check()
    with log.open("a") as file:
        file.write("and one more\n")
    expect(view.locator("code")).to_contain_text("and one more")
    log.write_text("begun anew\n")
    expect(view.locator("code")).to_have_text("begun anew\n")


def test_a_long_text_is_read_piece_by_piece(
    visit_files: VisitFiles, files: FilesLab
) -> None:
    files.write("workspace/long.txt", "".join(f"line {n:07}\n" for n in range(100_000)))
    page = visit_files()
    open_line(page, "long.txt")
    code = page.locator(f"{VIEW} code")
    expect(code).to_contain_text("line 0000000")
    view = page.locator(VIEW)
    expect(view.get_by_role("button", name="Beginning")).to_be_hidden()
    view.get_by_role("button", name="Later").click()
    expect(code).not_to_contain_text("line 0000000")
    view.get_by_role("button", name="End", exact=True).click()
    expect(code).to_contain_text("line 0099999")
    view.get_by_role("button", name="Earlier").click()
    expect(code).not_to_contain_text("line 0099999")
    view.get_by_role("button", name="Beginning").click()
    expect(code).to_contain_text("line 0000000")
    expect(page.get_by_role("button", name="Edit")).to_be_hidden()


# --- Looks ---


def furnish(files: FilesLab) -> None:
    files.write("workspace/runs/resnet-50/metrics.csv", "step,loss\n1,0.5\n2,0.25\n")
    files.write("workspace/datasets/cats/1.png", png())
    files.write("workspace/runs/logs/events.out.tfevents.1700000000.jup01", b"x")
    files.write("workspace/train.py", "import torch\n\nprint('training')\n" * 20)
    files.write("workspace/look.ipynb", json.dumps(NOTEBOOK))
    files.write("workspace/plot.png", png())
    files.write("workspace/metrics.csv", "step,loss,accuracy\n" + "1,0.5,0.91\n" * 30)
    files.write("workspace/checkpoint-0001.pt", bytes(3_400_000))
    files.write("workspace/" + "a-very-long-name-" * 9 + ".txt", "x")
    files.write("workspace/日本語の長いファイル名.txt", "x")
    (files.workspace / "newest").symlink_to("runs/resnet-50")
    (files.workspace / "old").symlink_to("/etc")


def select_two(page: Page) -> None:
    for name in ("datasets", "train.py"):
        line_of(page, name).get_by_role("checkbox").check()


def ask_delete(page: Page) -> None:
    act(page, "datasets", "Delete …")
    expect(page.locator("#files-deleting [data-slot=sum]")).to_contain_text("Files: 1")


def ask_target(page: Page) -> None:
    act(page, "train.py", "Move …")
    expect(page.locator(".targets li")).not_to_have_count(0)


def count_use(page: Page) -> None:
    act(page, "runs", "Space used")
    expect(page.locator("#files-use [data-slot=entries] dt")).not_to_have_count(0)


def edit(page: Page) -> None:
    page.get_by_role("button", name="Edit").click()
    expect(page.get_by_label("Text of the file")).to_be_visible()


def send(page: Page) -> None:
    big = FilePayload(name="model.bin", mimeType="x/y", buffer=bytes(9_000_000))
    there = FilePayload(name="train.py", mimeType="x/y", buffer=b"mine")
    page.locator("#files-choose").set_input_files([big, there])
    expect(page.locator("#files-upload [data-slot=clash]")).to_be_visible()
    expect(page.locator("#files-upload [data-slot=rate]")).to_contain_text("left")


PREPARE: dict[str, Callable[[Page], None]] = {
    "selected": select_two, "more": lambda page: act(page, "train.py"),
    "delete": ask_delete, "move": ask_target, "use": count_use, "edit": edit,
    "upload": send,
}  # fmt: skip
OPENS = {
    "text": "train.py", "edit": "train.py", "table": "metrics.csv",
    "notebook": "look.ipynb", "image": "plot.png",
}  # fmt: skip


def prepare(page: Page, kind: str) -> None:
    """Bring the page into a state that is worth a look."""
    if kind in OPENS:
        open_line(page, OPENS[kind])
        expect(page.locator(f"{VIEW} [data-slot=content] > *")).to_be_visible()
    if kind in PREPARE:
        PREPARE[kind](page)


ADDRESSES = {
    "events": "&at=scratch&path=workspace/runs/logs",
    "empty": "&at=scratch&path=kqi",
    "missing": "&at=scratch&path=nowhere",
    "data": "&at=data:vision&path=",
}
KINDS = (
    "list", "selected", "more", "delete", "move", "use", "upload", *OPENS, *ADDRESSES,
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_each_state_is_readable_by_everybody(
    visit_files: VisitFiles, files: FilesLab, kind: str,
    keep_shot: Callable[[Page, str], None],
) -> None:  # fmt: skip
    furnish(files)
    files.front.slow, files.front.bytes_per_s = (
        FILES,
        1_500_000 if kind == "upload" else 0,
    )
    about: dict[str, Any] = {"reduced_motion": "reduce", "color_scheme": "light"}
    page = visit_files(ADDRESSES.get(kind, ""), **about)
    prepare(page, kind)
    for width, colours in (
        (1440, "light"),
        (390, "dark"),
        (390, "light"),
        (1440, "dark"),
    ):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=colours, reduced_motion="reduce")  # type: ignore[arg-type]
        keep_shot(page, f"files-{kind}-{width}-{colours}")
        assert fits(page), width
        if (width, colours) in {(1440, "light"), (390, "dark")}:
            assert violations(page) == []
    assert lost_references(page) == []
