"""The navigation offers what there is, to those who may."""

from collections.abc import Callable
from gettext import NullTranslations

import pytest

from handlers.navigation import groups_for, shortcuts_for
from kqi_hub.domain.people import Standing
from kqi_hub.i18n import Texts

ENGLISH = Texts("en", NullTranslations())
PERSON = Standing("mia", ())
OPERATOR = Standing("rita", (), is_operator=True)


# From data to what comes of them; notebooks beside it.
WORK = [
    "", "notebooks", "data", "preprocessing", "datasets", "training", "inference",
    "jobs", "usage", "budgets", "environments", "files",
]  # fmt: skip


def all_pages(_: str) -> bool:
    return True


def only_home(path: str) -> bool:
    return path == "/"


@pytest.mark.parametrize(
    ("who", "has_page", "paths"),
    [
        (None, all_pages, []),
        (PERSON, only_home, [""]),
        (PERSON, all_pages, [*WORK, "me", "api"]),
        (OPERATOR, all_pages, [*WORK, "me", "api", "design"]),
    ],
)
def test_pages_are_offered_by_role_and_only_when_they_exist(
    who: Standing | None, has_page: Callable[[str], bool], paths: list[str]
) -> None:
    groups = groups_for(who, has_page, ENGLISH)
    assert [entry.path for group in groups for entry in group.entries] == paths
    assert all(group.entries for group in groups)


def test_every_page_has_a_key_of_its_own_and_the_help_lists_it() -> None:
    groups = groups_for(OPERATOR, all_pages, ENGLISH)
    keys = [entry.key for group in groups for entry in group.entries]
    assert len(keys) == len(set(keys))
    listed = [shortcut.keys for shortcut in shortcuts_for(groups, ENGLISH)]
    assert [("g", key) for key in keys] == listed[: len(keys)]
    assert {("?",), ("/",), ("t",), ("Esc",)} == set(listed[len(keys) :])
