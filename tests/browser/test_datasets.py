"""Datasets in a real browser: put together by mouse and by keyboard, copied, kept."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from kqi_hub.domain.data import Placed
from kqi_hub.domain.datasets import NewDataset
from tests.browser.conftest import OpenPage
from tests.browser.data_states import NOW, furnish_data, keep
from tests.browser.gallery import (
    ALL_LOOKS,
    NARROW,
    each_look,
    fits,
    lost_references,
    violations,
)
from tests.fakes.site import FakeSite

TALL = {"width": 1440, "height": 1600}
Shot = Callable[[Page, str], None]


def entries(site: FakeSite, number: int) -> set[tuple[str, int]]:
    placed = site.data.datasets.entries[number]
    return {(one.type, one.data_id) for one in placed}


def area(page: Page, name: str) -> Any:
    return page.locator(".area", has=page.get_by_role("heading", name=name))


def option(page: Page, name: str) -> Any:
    return page.locator("#set-all [role=option]", has_text=name)


def test_a_dataset_is_put_together_by_dragging(
    open_page: OpenPage, site: FakeSite, keep_shot: Shot
) -> None:
    furnish_data(site)
    # A page that scrolled between pressing and moving would drag nothing.
    page = open_page("datasets/new?tenant=vision", viewport=TALL)
    page.get_by_label("Name", exact=True).first.fill("dragged")
    option(page, "street signs").drag_to(area(page, "training"))
    expect(area(page, "training")).to_contain_text("street signs")
    expect(option(page, "street signs")).to_contain_text("in training")
    option(page, "signs, cropped").click()
    option(page, "made by max").click()
    option(page, "made by max").drag_to(area(page, "testing"))
    expect(area(page, "testing").locator("[role=option]")).to_have_count(2)
    placed = area(page, "testing").locator("[role=option]", has_text="made by max")
    placed.drag_to(area(page, "validation"))
    expect(area(page, "validation")).to_contain_text("made by max")
    expect(area(page, "testing").locator("[role=option]")).to_have_count(1)
    keep_shot(page, "dataset-builder")
    assert violations(page) == []
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_url(re.compile("/datasets/4[?]"))
    assert entries(site, 4) == {("training", 1), ("testing", 3), ("validation", 4)}


def test_a_dataset_is_put_together_by_keyboard_alone(
    open_page: OpenPage, site: FakeSite
) -> None:
    furnish_data(site)
    page = open_page("datasets/new?tenant=vision")
    keyboard = page.keyboard
    page.get_by_label("Name", exact=True).first.focus()
    keyboard.type("typed")
    page.locator("#set-q-name").focus()
    keyboard.type("signs")
    expect(page.locator("#set-all [role=option]")).to_have_count(2)
    while page.evaluate("document.activeElement.id") != "set-all":
        keyboard.press("Tab")
    keyboard.press("Control+a")
    expect(page.locator("#set-chosen")).to_have_text("2 chosen")
    keyboard.press("Enter")
    assert page.evaluate("document.activeElement.textContent") == "Into training"
    keyboard.press("Enter")
    inside = area(page, "training")
    expect(inside.locator("[role=option]")).to_have_count(2)
    expect(page.locator("#set-state")).to_have_text("2 put into training.")
    inside.locator("[role=listbox]").focus()
    keyboard.press("ArrowDown")
    keyboard.press("Space")
    inside.get_by_role("button", name="Move to testing").focus()
    keyboard.press("Enter")
    expect(area(page, "testing").locator("[role=option]")).to_have_count(1)
    inside.locator("[role=listbox]").focus()
    keyboard.press("Space")
    keyboard.press("Delete")
    expect(inside).to_contain_text("Nothing in here yet")
    page.get_by_role("button", name="Save").focus()
    keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/datasets/4[?]"))
    assert len(entries(site, 4)) == 1
    assert {kind for kind, _ in entries(site, 4)} == {"testing"}


def test_what_is_in_two_types_is_pointed_out(
    open_page: OpenPage, site: FakeSite
) -> None:
    furnish_data(site)
    page = open_page("datasets/new?tenant=vision")
    for kind in ("training", "testing"):
        option(page, "cats").click()
        page.get_by_role("button", name=f"Into {kind}").click()
    expect(page.locator("#set-twice")).to_contain_text("in more than one type: 1")


def test_a_flat_dataset_has_one_area(open_page: OpenPage, site: FakeSite) -> None:
    furnish_data(site)
    page = open_page("datasets/new?tenant=vision")
    page.get_by_label("Flat").check()
    expect(page.locator(".area")).to_have_count(1)
    option(page, "cats").click()
    page.get_by_role("button", name="Into all in one folder").click()
    page.get_by_label("Name", exact=True).first.fill("flat")
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_url(re.compile("/datasets/4[?]"))
    assert entries(site, 4) == {("", 2)}


def test_thousands_of_items_stay_quick(open_page: OpenPage, site: FakeSite) -> None:
    for number in range(3_000):
        keep(site, f"item {number:05}", {}, ("many",))
    page = open_page("datasets/new?tenant=vision")
    page.locator("#set-q-tag").fill("many")
    everything = page.locator("#set-everything")
    expect(everything).to_be_visible()
    everything.get_by_role("button").click()
    expect(area(page, "training")).to_contain_text("3,000")
    assert page.locator("[role=option]").count() <= 200
    area(page, "training").get_by_role("button", name="Next").click()
    expect(area(page, "training")).to_contain_text(re.compile("101.200 of 3,000"))
    page.get_by_label("Name", exact=True).first.fill("thousands")
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_url(re.compile("/datasets/1[?]"))
    assert len(entries(site, 1)) == 3_000
    began = page.evaluate("performance.now()")
    page.goto(page.url.replace("/datasets/1", "/datasets/1/edit"))
    expect(area(page, "training")).to_contain_text("3,000")
    assert page.evaluate("performance.now()") < 10_000 + began


def test_a_locked_dataset_says_why_and_is_copied(
    open_page: OpenPage, site: FakeSite, keep_shot: Shot
) -> None:
    furnish_data(site)
    page = open_page("datasets/1?tenant=vision")
    main = page.locator("main")
    expect(main).to_contain_text("This dataset is locked")
    expect(main).to_contain_text("Training")
    keep_shot(page, "dataset-locked")
    page.get_by_role("link", name="Change").click()
    expect(page.locator(".builder")).to_have_count(0)
    page.get_by_label("Memo (optional)").fill("explained")
    page.get_by_role("button", name="Save").click()
    expect(main).to_contain_text("explained")
    page.get_by_role("link", name="Delete").click()
    expect(page.get_by_role("button", name="Delete it")).to_have_count(0)
    assert violations(page) == []
    page.get_by_role("link", name="Keep it").click()
    page.get_by_role("button", name="Copy").click()
    expect(page).to_have_url(re.compile("/datasets/4/edit[?]"))
    expect(area(page, "training")).to_contain_text("street signs")
    area(page, "training").locator("[role=option]").click()
    area(page, "training").get_by_role("button", name="Take out").click()
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_url(re.compile("/datasets/4[?]"))
    assert entries(site, 4) == {("testing", 2)}
    assert entries(site, 1) == {("training", 1), ("testing", 2)}


def test_one_that_was_changed_meanwhile_is_not_overwritten(
    open_page: OpenPage, site: FakeSite
) -> None:
    furnish_data(site)
    page = open_page("datasets/2/edit?tenant=vision")
    expect(area(page, "training")).to_contain_text("cats")
    site.data.datasets.replace(2, [Placed("testing", 1)], NOW, NOW + 1)
    area(page, "training").locator("[role=option]").click()
    area(page, "training").get_by_role("button", name="Move to validation").click()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#failed")).to_contain_text("changed meanwhile")
    assert entries(site, 2) == {("testing", 1)}


def test_what_a_job_sees_is_shown_path_by_path(
    open_page: OpenPage, site: FakeSite, keep_shot: Shot
) -> None:
    furnish_data(site)
    page = open_page("datasets/1/paths?tenant=vision")
    main = page.locator("main")
    expect(main).to_contain_text("meta.json")
    expect(main).to_contain_text("training/1/train/cat.png")
    expect(main).to_contain_text("testing/2/cat.jpg")
    keep_shot(page, "dataset-paths")


def test_paths_are_shown_a_page_at_a_time(open_page: OpenPage, site: FakeSite) -> None:
    item = keep(site, "many", {f"d/{number:04}": 1 for number in range(250)})
    new = NewDataset("vision", "many", "", False, (Placed("training", item.id),))
    site.data.datasets.create(new, "mia", NOW)
    page = open_page("datasets/1/paths?tenant=vision")
    rows = page.locator("section.list tbody tr")
    expect(rows).to_have_count(100)
    page.get_by_role("link", name="Next").click()
    expect(rows.first).to_contain_text("d/0100")
    page.get_by_role("link", name="Next").click()
    expect(rows).to_have_count(50)


def test_a_manager_changes_the_types(open_page: OpenPage, site: FakeSite) -> None:
    page = open_page("datasets/types?tenant=vision", "max")
    page.get_by_label("Types", exact=True).fill("training\ncalibration\nbad one")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("main")).to_contain_text("cannot be a type")
    page.get_by_label("Types", exact=True).fill("training\ncalibration")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#said")).to_contain_text("The types are saved.")
    page.get_by_role("link", name="New dataset").click()
    expect(area(page, "calibration")).to_be_visible()


@pytest.mark.parametrize(
    "path", ["datasets", "datasets/new", "datasets/1", "datasets/1/paths",
             "datasets/1/delete", "datasets/2/edit", "datasets/types"]
)  # fmt: skip
def test_pages_of_datasets_are_whole_legible_and_fit(
    open_page: OpenPage,
    site: FakeSite,
    keep_shot: Shot,
    path: str,
) -> None:
    furnish_data(site)
    page = open_page(f"{path}?tenant=vision", "rita")
    assert lost_references(page) == []
    for look in each_look(page, ALL_LOOKS):
        keep_shot(page, f"{path.replace('/', '-')}-{look}")
        assert fits(page)
        assert violations(page) == []


@pytest.mark.parametrize("language", ["ja-JP", "ko-KR"])
def test_other_languages_do_not_break_the_layout(
    open_page: OpenPage, site: FakeSite, keep_shot: Shot, language: str
) -> None:
    furnish_data(site)
    for path in ("datasets", "datasets/new", "datasets/1"):
        page = open_page(f"{path}?tenant=vision", viewport=NARROW, locale=language)
        keep_shot(page, f"{path.replace('/', '-')}-{language}")
        assert fits(page)
