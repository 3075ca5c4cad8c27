"""What templates and scripts may use, and what they may not."""

import re
from pathlib import Path

import pytest

import handlers
import hub_config
from hub_config.frontend.vendor import icon_names, sprite

HUB = Path(hub_config.__file__).parent
TEMPLATES = sorted((HUB / "templates").rglob("*.html"))
SCRIPTS = sorted((HUB / "static/js").glob("*.js"))
STYLES = sorted((HUB / "static/css").glob("*.css"))
NAVIGATION = Path(handlers.__file__).parent / "navigation.py"
INLINE = ("| safe", "|safe", "autoescape", "<style", " style=", "javascript:")
MARKUP_IN_SCRIPTS = ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", ".write(")
# The QR code is drawn by us, and holds nothing that anybody typed as markup.
OUR_OWN_MARKUP = "invitation.qr_svg | safe"
ICON = re.compile(r'icon\("([a-z0-9-]+)"')


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def used_icons() -> set[str]:
    """Return the icons that are named directly, and those in tables of signs."""
    named = {name for path in TEMPLATES for name in ICON.findall(text(path))}
    signs = re.findall(
        r'"(?:good|busy|wait|bad|idle|odd)": "([a-z0-9-]+)"',
        "".join(map(text, TEMPLATES)),
    )
    entries = re.findall(r'"([a-z-]+)",\n\s+"[a-z]",', text(NAVIGATION))
    return named | set(signs) | set(entries)


def test_every_icon_that_is_used_is_one_of_those_that_are_copied() -> None:
    used = used_icons()
    assert {"house", "check-circle-fill", "keyboard"} <= used
    assert used - set(icon_names()) == set()


def test_the_list_of_icons_is_sorted_and_names_each_once() -> None:
    assert icon_names() == sorted(set(icon_names()))


def test_icons_are_put_together_into_one_picture(tmp_path: Path) -> None:
    (tmp_path / "house.svg").write_text(
        '<svg xmlns="x" width="16" viewBox="0 0 16 16">\n  <path d="M1 1"/>\n</svg>'
    )
    assert '<symbol id="house" viewBox="0 0 16 16"><path d="M1 1"/></symbol>' in sprite(
        tmp_path, ["house"]
    )


def test_an_icon_that_is_no_picture_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "house.svg").write_text("not found")
    with pytest.raises(ValueError, match="no SVG"):
        sprite(tmp_path, ["house"])


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: p.name)
def test_no_template_writes_unescaped_or_inline(path: Path) -> None:
    source = text(path).replace(OUR_OWN_MARKUP, "")
    for forbidden in INLINE:
        assert forbidden not in source
    assert not re.search(r"\son[a-z]+=", source)
    assert not re.search(r"<script(?![^>]* src=)", source)


@pytest.mark.parametrize("path", TEMPLATES + STYLES + SCRIPTS, ids=lambda p: p.name)
def test_nothing_is_loaded_from_elsewhere(path: Path) -> None:
    assert not re.search(r"(https?:)?//[a-z0-9-]+\.[a-z]", text(path))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.name)
def test_scripts_write_text_and_never_markup(path: Path) -> None:
    for forbidden in MARKUP_IN_SCRIPTS:
        assert forbidden not in text(path)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: p.name)
def test_every_form_that_changes_something_holds_the_pages_proof(path: Path) -> None:
    for form in re.findall(r"<form[^>]*>.*?</form>", text(path), re.DOTALL):
        if 'method="post"' in form:
            assert 'name="_xsrf"' in form
