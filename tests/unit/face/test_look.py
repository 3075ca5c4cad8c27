"""The frame around every page: addresses, templates, what is compiled when."""

from pathlib import Path

import pytest
from jinja2 import TemplateSyntaxError, UndefinedError
from markupsafe import Markup

from kqi_hub.domain.preferences import Theme
from kqi_hub.face.look import SPRITE, Entry, Group, Look, Pages
from kqi_hub.face.site import Site
from kqi_hub.face.static import File, Tree

TREE = Tree("d1", {SPRITE: File("image/svg+xml", b"", None)})
SITE = Site("Lab", "1.0")


def look(here: str = "/p/", tenant: str | None = None, language: str = "en") -> Look:
    return Look(
        site=SITE,
        tree=TREE,
        base="/",
        prefix="/p/",
        here=here,
        language=language,
        theme=Theme.SYSTEM,
        request_id="1",
        tenant=tenant,
        groups=(Group("Work", (Entry("me", "Me", "person", "m", ""),)),),
    )


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    (tmp_path / "a.html").write_text('{{ icon("house") }}{{ name }}{{ 3 | role }}')
    (tmp_path / "b.html").write_text("{{ gone }}")
    return Pages(tmp_path, tmp_path, TREE, "/p/")


@pytest.mark.parametrize(
    ("here", "changed", "there"),
    [
        ("/p/", {"tenant": "a"}, "/p/?tenant=a"),
        ("/p/x?tenant=a&y=1", {"tenant": "b c"}, "/p/x?tenant=b+c&y=1"),
        ("/p/x?y=", {"tenant": "&"}, "/p/x?y=&tenant=%26"),
    ],
)
def test_a_link_changes_one_thing_of_this_pages_address(
    here: str, changed: dict[str, str], there: str
) -> None:
    assert look(here).here_with(**changed) == there


@pytest.mark.parametrize(
    ("here", "path", "is_there"),
    [
        ("/p/", "", True),
        ("/p/me", "", False),
        ("/p/me?x=1", "me", True),
        ("/p/me/tokens", "me", True),
        ("/p/menu", "me", False),
    ],
)
def test_the_navigation_knows_where_one_is(
    here: str, path: str, is_there: bool
) -> None:
    assert look(here).is_at(path) is is_there


def test_ways_carry_the_tenant_where_there_is_one() -> None:
    assert look(tenant="vision").way("me") == "/p/me?tenant=vision"
    assert look().way("me") == "/p/me"


def test_a_page_is_rendered_with_everything_escaped(pages: Pages) -> None:
    text = pages.render("a.html", look(), {"name": "<b>"})
    assert "&lt;b&gt;" in text
    assert '<use href="/p/static/d1/vendor/icons.svg#house"/>' in text
    assert text.endswith("manager")


def test_a_text_that_is_kept_is_said_anew_with_other_values(
    pages: Pages, tmp_path: Path
) -> None:
    said = '{{ _("%(x)s is %% <i>", x=name) }}|{{ _("all %% <i>") }}'
    (tmp_path / "d.html").write_text(said)
    for name, shown in (("a", "a"), ("<b>", "&lt;b&gt;"), ("c", "c")):
        text = pages.render("d.html", look(), {"name": name})
        assert text == f"{shown} is % <i>|all % <i>"


def test_a_translation_may_say_percent_with_its_sign(tmp_path: Path) -> None:
    catalogue = tmp_path / "ko/LC_MESSAGES/kqi.po"
    catalogue.parent.mkdir(parents=True)
    catalogue.write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "Busy, percent"\nmsgstr "사용률(%)"\n',
        encoding="utf-8",
    )
    (tmp_path / "a.html").write_text('{{ _("Busy, percent") }}')
    pages = Pages(tmp_path, tmp_path, TREE, "/p/")
    assert pages.render("a.html", look(language="ko")) == "사용률(%)"


def test_what_is_markup_already_stays_it(pages: Pages) -> None:
    assert "<b>x</b>" in pages.render("a.html", look(), {"name": Markup("<b>x</b>")})


def test_a_value_that_is_missing_is_a_fault_and_not_empty(pages: Pages) -> None:
    with pytest.raises(UndefinedError, match="gone"):
        pages.render("b.html", look())


def test_warming_up_compiles_every_template_once_for_all_languages(
    pages: Pages, tmp_path: Path
) -> None:
    pages.warm_up(SITE)
    (tmp_path / "a.html").unlink()
    for language in SITE.languages:
        assert pages.render("a.html", look(language=language), {"name": "x"})


def test_warming_up_may_be_for_some_templates_alone(
    pages: Pages, tmp_path: Path
) -> None:
    (tmp_path / "c.html").write_text("{% if %}")
    pages.warm_up(SITE, {"a.html"})
    (tmp_path / "a.html").unlink()
    assert pages.render("a.html", look(), {"name": "x"})


def test_warming_up_notices_a_broken_template(pages: Pages, tmp_path: Path) -> None:
    (tmp_path / "c.html").write_text("{% if %}")
    with pytest.raises(TemplateSyntaxError):
        pages.warm_up(SITE)


@pytest.mark.parametrize(
    ("support", "link"),
    [
        ("help@example.org", "mailto:help@example.org"),
        ("https://help.example.org", "https://help.example.org"),
        ("", ""),
    ],
)
def test_help_is_a_link_to_mail_or_a_page(support: str, link: str) -> None:
    assert Site("Lab", "1.0", support=support).support_link == link
