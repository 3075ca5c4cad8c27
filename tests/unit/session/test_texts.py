"""The texts inside a notebook."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from kqi_hub.session import texts
from kqi_hub.session.idle import SHOWN, USES
from kqi_hub.session.texts import catalogue, language_for

CODES = (
    "clone-failed",
    "push-no-token",
    "command-failed",
    "dataset-linked",
    "dataset-missing",
    "environment-missing",
    "environment-no-kernel",
    "parent-missing",
)


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("ko-KR,ko;q=0.9,en;q=0.5", "ko"),
        ("ja", "ja"),
        ("de-DE,de;q=0.9", "en"),
        ("de,ja;q=0.3,en;q=0.2", "ja"),
        ("en;q=0.1,JA-jp;q=0.8", "ja"),
        ("ja;q=x,ko;q=0.1", "ko"),
        ("../../etc;q=9", "en"),
        ("*", "en"),
        ("\u3042,\0", "en"),
        ("ja;q=" + "9" * 400, "en"),
    ],
)
def test_language_is_the_one_that_the_browser_likes_best(
    accepted: str, language: str
) -> None:
    assert language_for(accepted) == language


@pytest.mark.parametrize("language", ["en", "ja", "ko"])
def test_every_language_has_every_text_with_the_same_blanks(language: str) -> None:
    english, other = catalogue()["en"], catalogue()[language]
    assert other.keys() == english.keys()
    for name, text in other.items():
        blanks = re.findall(r"\{\w+\}", text)
        assert sorted(blanks) == sorted(re.findall(r"\{\w+\}", english[name])), name


def test_everything_that_can_be_seen_or_go_wrong_has_a_text() -> None:
    wanted = {f"seen_{name}" for name in USES + SHOWN}
    wanted |= {f"notice_{code}" for code in CODES}
    assert wanted <= catalogue()["en"].keys()


def test_pages_have_each_text_in_each_language_and_use_all_of_them() -> None:
    tools = catalogue("tools.json")
    session = Path(texts.__file__).parent
    pages = ("resources.py", "cluster_pages.py", "tensorboard_pages.py")
    sources = [*session.glob("templates/*.html"), *(session / name for name in pages)]
    used = set(re.findall(r"(?:t|texts|\[1\])\[[\"'](\w+)[\"']\]", _text(sources)))
    # Those of states and of fields are put together.
    used |= {name for name in tools["en"] if name.startswith("state_")}
    used |= {"cpus", "memory_mb", "gpus", "minutes"}
    assert used == set(tools["en"])
    assert tools["en"].keys() == tools["ja"].keys() == tools["ko"].keys()
    assert all(
        text.strip() for language in tools.values() for text in language.values()
    )


def _text(files: Iterable[Path]) -> str:
    return "\n".join(file.read_text(encoding="utf-8") for file in files)
