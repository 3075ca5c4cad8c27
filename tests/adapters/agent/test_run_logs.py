"""Long logs: opened at the end, read at any place, searched, tasks of arrays too."""

import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from kqi_hub.agent import logsearch
from tests.adapters.agent.conftest import Lab

LINE = b"step %07d loss 0.123456 lr 0.001 some words that fill the line up to its end\n"


def long_log(place: Path, lines: int) -> int:
    with place.open("wb") as file:
        for start in range(0, lines, 10_000):
            file.write(b"".join(LINE % at for at in range(start, start + 10_000)))
    return place.stat().st_size


async def found(lab: Lab, text: str, **more: object) -> dict[str, Any]:
    query = "".join(f"&{name}={value}" for name, value in more.items())
    answer = await lab.get(f"api/log/search?job=7&text={quote(text)}{query}")
    assert answer.code == 200, answer.body
    said: dict[str, Any] = json.loads(answer.body)
    return said


async def everywhere(lab: Lab, text: str) -> list[dict[str, Any]]:
    matches: list[dict[str, Any]] = []
    said = await found(lab, text)
    matches += said["matches"]
    while not said["is_over"]:
        said = await found(lab, text, **{"from": said["next"]})
        matches += said["matches"]
    return matches


@pytest.mark.slow
async def test_a_log_of_100_mb_opens_at_its_end_at_once(lab: Lab) -> None:
    size = long_log(lab.log(7), 1_300_000)
    assert size > 100_000_000
    began = time.perf_counter()
    piece = json.loads((await lab.get("api/log?job=7")).body)
    assert time.perf_counter() - began < 1
    assert (piece["to"], piece["size"]) == (size, size)
    assert "step 1299999" in piece["text"]
    matches = await everywhere(lab, "STEP 1299998")
    assert [one["text"].rstrip() for one in matches] == [
        (LINE % 1299998).decode().rstrip()
    ]


async def test_a_part_of_a_log_is_read_by_its_borders(lab: Lab) -> None:
    lab.log(7).write_bytes(b"0123456789")
    parts = {"from=2&to=5": "234", "from=0&to=0": "", "from=5": "56789",
             "from=8&to=99": "89", "from=5&to=2": ""}  # fmt: skip
    for query, text in parts.items():
        piece = json.loads((await lab.get(f"api/log?job=7&{query}")).body)
        assert piece["text"] == text, query


async def test_what_is_found_says_where_and_shows_its_line(lab: Lab) -> None:
    lab.log(7).write_text("one\nTwo words\nthree\ntwo\n")
    said = await found(lab, "two")
    assert said["matches"] == [
        {"at": 4, "text": "Two words"},
        {"at": 20, "text": "two"},
    ]
    assert (said["is_over"], said["size"], said["job"]) == (True, 24, 7)
    exact = await found(lab, "two", exact=1)
    assert [one["at"] for one in exact["matches"]] == [20]


async def test_what_is_cut_in_two_by_reading_is_found(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logsearch, "_PIECE", 10)
    lab.log(7).write_text("12345678needle0123needle\n")
    matches = await everywhere(lab, "needle")
    assert [one["at"] for one in matches] == [8, 18]


async def test_many_places_come_in_portions(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logsearch, "MOST_FOUND", 3)
    lab.log(7).write_text("ab\n" * 10)
    assert len((await found(lab, "ab"))["matches"]) == 3
    assert [one["at"] for one in await everywhere(lab, "ab")] == [*range(0, 30, 3)]


async def test_one_question_ends_in_time_and_says_where_to_go_on(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logsearch, "_WORK_S", 0.0)
    monkeypatch.setattr(logsearch, "_PIECE", 100)
    lab.log(7).write_text("x" * 1000 + "needle")
    said = await found(lab, "needle")
    assert not said["is_over"]
    assert 0 < said["next"] <= 100
    assert len(await everywhere(lab, "needle")) == 1


@pytest.mark.parametrize("text", ["a.b", "[x", "(", "\\d", "*", "日本", "<b>", "%00"])
async def test_a_text_is_a_text_and_no_pattern(lab: Lab, text: str) -> None:
    lab.log(7).write_text(f"axb \n{text}\n")
    assert [one["text"] for one in (await found(lab, text))["matches"]] == [text]


@pytest.mark.parametrize(
    "query",
    ["job=7", "job=7&text=", "job=7&text=a&text=b", "job=7&text=a%0ab",
     f"job=7&text={'x' * 201}", "text=a", "job=../7&text=a", "job=7&text=a&from=x",
     "job=7&text=a&exact=x"],
)  # fmt: skip
async def test_hostile_searches_are_refused(lab: Lab, query: str) -> None:
    lab.log(7).write_text("a\n")
    answer = await lab.get(f"api/log/search?{query}")
    assert (answer.code, json.loads(answer.body)["error"]) == (400, "invalid-input")


async def test_a_log_that_is_a_link_is_not_searched(lab: Lab) -> None:
    (lab.folder / "secret").write_text("a\n")
    lab.log(7).symlink_to(lab.folder / "secret")
    assert (await lab.get("api/log/search?job=7&text=a")).code == 403
    assert (await lab.get("api/log/search?job=8&text=a")).code == 404


async def test_the_log_of_an_arrays_task_is_read(lab: Lab) -> None:
    (lab.folder / "log/12_3.log").write_text("third\n")
    piece = json.loads((await lab.get("api/log?job=12_3")).body)
    assert (piece["job"], piece["text"]) == ("12_3", "third\n")
    assert (await lab.get("api/log?job=12_4")).code == 404
