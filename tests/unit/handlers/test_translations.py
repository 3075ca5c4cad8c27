"""The catalogues hold exactly the texts of the code, whole and with the same values."""

import ast
import io
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message

from hub_config.translations.catalogues import (
    ROOT,
    TRANSLATED,
    path_of,
    read_catalogue,
    texts_in,
    updated,
    write_catalogue,
)
from hub_config.translations.extract import ERRORS, extract
from kqi_hub.i18n import texts

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}")
UPDATE = "run: python -m hub_config.translations, then translate what is empty"


@pytest.fixture(scope="module")
def in_code() -> Mapping[str, tuple[str, ...]]:
    """Return every text of the code; to find them takes seconds."""
    return texts_in(ROOT)


def messages(language: str) -> list[Message]:
    return [message for message in read_catalogue(language) if message.id]


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_holds_exactly_the_texts_of_the_code(
    language: str, in_code: Mapping[str, tuple[str, ...]]
) -> None:
    held = {str(message.id) for message in messages(language)}
    assert (set(in_code) - held, held - set(in_code)) == (set(), set()), UPDATE


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated(language: str) -> None:
    assert [m.id for m in messages(language) if not m.string] == [], UPDATE


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_values_of_its_text(language: str) -> None:
    wrong = [
        message.id
        for message in messages(language)
        if sorted(PLACEHOLDER.findall(str(message.id)))
        != sorted(PLACEHOLDER.findall(str(message.string)))
    ]
    assert wrong == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_takes_the_values_of_its_text(language: str) -> None:
    """Python's % falls over a sign that stands alone: in templates it is written %%."""
    for message in messages(language):
        text = str(message.id)
        if "%(" in text:
            names = re.findall(r"%\((\w+)\)", text)
            said = str(message.string) % dict.fromkeys(names, 1)
            assert "%(" not in said, text


SCRIPTS = {"ja": r"[\u3040-\u30ff\u4e00-\u9fff]", "ko": r"[\uac00-\ud7a3]"}
# Names that are the same in every language.
SAME = {"Git", "REST API", "JupyterLab", "TensorBoard"}


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_is_written_in_its_language(language: str) -> None:
    script = re.compile(SCRIPTS[language])
    strange = [
        m.id
        for m in messages(language)
        if str(m.id) not in SAME
        and not script.search(str(m.string))
        # Some texts are values and signs alone.
        and re.search(r"[a-z]", PLACEHOLDER.sub("", str(m.id)))
    ]
    assert strange == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_is_written_in_its_fixed_form(
    language: str, in_code: Mapping[str, tuple[str, ...]], tmp_path: Path
) -> None:
    write_catalogue(language, updated(read_catalogue(language), in_code), tmp_path)
    written = path_of(language, tmp_path).read_bytes()
    assert written == path_of(language).read_bytes(), UPDATE


def test_only_sources_of_catalogues_are_kept() -> None:
    assert list(path_of("ja").parent.parent.parent.rglob("*.mo")) == []


SOURCE = '''
class Odd(NotFound):
    """A docstring of an error."""

    def __init__(self):
        super().__init__("Written by itself.", "With a hint.")


class Other(Odd):
    """A child of a child."""


class Helper:
    """A docstring of something else."""


@routes.get("/x", Spec())
async def show(ask):
    """A route.

    More for developers.
    """
    raise NotFound("In two " "parts {x}.", hint="A hint.", x=N_("A mark."))
    raise NotFound("Inside {y}.", y=Phrase("A part {z}.", z=1))


def quiet():
    """A function."""
    raise ValueError("Not for people.")
    raise SettingsError("For operators.", "A command.")
    raise NotFound(f"Put together {x}.")


name: str = Field("", description="A field.")
'''


def test_texts_are_found_where_they_are_written() -> None:
    found = [text for _, _, text, _ in extract(io.BytesIO(SOURCE.encode()), (), (), {})]
    assert sorted(found) == [
        "A child of a child.",
        "A docstring of an error.",
        "A field.",
        "A hint.",
        "A mark.",
        "A part {z}.",
        "A route.",
        "In two parts {x}.",
        "Inside {y}.",
        "With a hint.",
        "Written by itself.",
    ]


# Operators alone read these: the doctor's questions and `kqi-hub keys`.
FOR_OPERATORS = {"directory_check.py", "keyfile.py"}


def put_together(tree: ast.AST) -> list[int]:
    """Return the lines where an error's text is no plain template."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {*ERRORS, "Phrase"}
        for text in [
            *node.args[:2],
            *(k.value for k in node.keywords if k.arg == "hint"),
        ]
        if isinstance(text, ast.JoinedStr | ast.BinOp)
    ]


def test_no_error_that_people_read_is_put_together_before_it_is_translated() -> None:
    folders = ["handlers", "spawners", "kqi_hub/auth", "kqi_hub/domain"]
    folders += ["kqi_hub/services", "kqi_hub/slurm", "kqi_hub/storage"]
    files = [ROOT / "kqi_hub/runas/client.py"]
    files += [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    found = {path.name: put_together(ast.parse(path.read_text())) for path in files}
    assert {name for name, lines in found.items() if lines} == FOR_OPERATORS


def test_a_text_that_is_put_together_is_noticed() -> None:
    assert put_together(ast.parse(SOURCE)) == [31]


def test_a_new_text_comes_in_empty_and_an_old_one_goes() -> None:
    old = Catalog(locale="ja")
    old.add("Kept.", "残る。")
    old.add("Gone.", "消える。")
    new = updated(old, {"Kept.": ("a.py",), "New.": ("b.py",)})
    assert {m.id: m.string for m in new if m.id} == {"Kept.": "残る。", "New.": ""}


@pytest.mark.parametrize(
    ("language", "said"), [("ja", "ログイン"), ("ko", "로그인"), ("en", "Log in")]
)
def test_a_text_is_said_in_the_language_asked_for(language: str, said: str) -> None:
    folder = path_of("ja").parent.parent.parent
    assert texts(folder, language).say("Log in") == said
