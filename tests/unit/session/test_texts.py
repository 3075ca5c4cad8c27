"""The texts inside a notebook."""

import re

import pytest

from kqi_hub.session.idle import SHOWN, USES
from kqi_hub.session.texts import catalogue, language_for

CODES = (
    "clone-failed",
    "command-failed",
    "environment-missing",
    "environment-no-kernel",
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
