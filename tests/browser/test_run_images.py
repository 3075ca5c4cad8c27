"""A run in a container image, asked for in a browser."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from kqi_hub.domain.errors import RegistryUnavailable
from tests.browser.conftest import OpenPage
from tests.browser.gallery import NARROW, WIDE, answer, fits, no_agent, violations
from tests.fakes.images import DIGEST
from tests.fakes.site import FakeSite


@pytest.mark.parametrize(
    ("colours", "size"),
    [("light", WIDE), ("dark", NARROW)],
    ids=["light-1440", "dark-390"],
)
def test_a_container_image_is_asked_for_and_what_is_wrong_with_it_stands_there(
    open_page: OpenPage,
    site: FakeSite,
    keep_shot: Callable[[Page, str], None],
    colours: Any,
    size: Any,
) -> None:
    path = "training/new?tenant=vision&queue=cpu&name=in-an-image"
    page = open_page(path, before=no_agent, color_scheme=colours, viewport=size)
    page.locator("[data-step='2']").click()
    page.fill("#field-command", "python train.py")
    image = page.get_by_label("Or a container image")
    image.fill("ghcr.io/a/b:1")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator("#step-2")).to_be_visible()
    fault = page.locator("#fault-image")
    expect(fault).to_contain_text("ghcr.io is no registry of this site")
    expect(image).to_have_value("ghcr.io/a/b:1")
    keep_shot(page, f"runs-image-{colours}-{size['width']}")
    assert fits(page)
    assert violations(page) == []
    site.runs.images.refusal = RegistryUnavailable("The registry does not answer.", "")
    image.fill("team/tool:1.0")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("alert").first).to_contain_text("does not answer")
    expect(image).to_have_value("team/tool:1.0")
    assert site.runs.store.runs == {}
    site.runs.images.refusal = None
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url("**/training/1?*")
    whole = f"images.example.org/team/tool:1.0@{DIGEST}"
    expect(page.locator("main")).to_contain_text(whole)
    keep_shot(page, f"runs-of-image-{colours}-{size['width']}")
    assert fits(page)
    assert violations(page) == []
    [run] = site.runs.store.runs.values()
    assert run.spec.image == whole


@pytest.mark.parametrize(
    ("path", "colours", "size"),
    [
        ("training/new?tenant=vision&queue=cpu&name=picked", "light", WIDE),
        ("training/new?tenant=vision&queue=cpu&name=picked", "dark", NARROW),
        ("preprocessing/new?tenant=vision", "dark", WIDE),
        ("preprocessing/new?tenant=vision", "light", NARROW),
    ],
    ids=["run-light-1440", "run-dark-390", "recipe-dark-1440", "recipe-light-390"],
)
def test_registry_image_and_tag_are_picked_with_the_keyboard(
    open_page: OpenPage,
    site: FakeSite,
    keep_shot: Callable[[Page, str], None],
    path: str,
    colours: Any,
    size: Any,
) -> None:
    kind = path.partition("/")[0]
    page = open_page(path, before=no_agent, color_scheme=colours, viewport=size)
    if kind == "training":
        page.locator("[data-step='2']").click()
    image = page.get_by_label("Or a container image")
    registry, tag = page.get_by_label("Registry"), page.get_by_label("Tag", exact=True)
    offered = registry.locator("option")
    expect(offered).to_have_text(
        ["images.example.org", "nvcr.io", "docker.io", "lab.example.org/vision"]
    )
    image.press_sequentially("too")
    offered = page.locator("#offered-image option")
    expect(offered).to_have_attribute("value", "images.example.org/team/tool")
    image.fill("images.example.org/team/tool")
    image.press("Tab")
    expect(tag).to_be_focused()
    expect(page.locator("#offered-pick-tag option")).to_have_count(2)
    tag.press_sequentially("1.0")
    expect(image).to_have_value("images.example.org/team/tool:1.0")
    keep_shot(page, f"{kind}-picked-{colours}-{size['width']}")
    registry.select_option("nvcr.io")
    expect(image).to_have_value("nvcr.io/team/tool")
    expect(tag).to_have_value("")
    # A name that is typed, or pasted with its digest, is shown by all three.
    image.fill(f"docker.io/library/python:3.12@{DIGEST}")
    expect(registry).to_have_value("docker.io")
    expect(tag).to_have_value("3.12")
    image.fill("ghcr.io/a/b:1")
    assert registry.evaluate("one => one.selectedIndex") == -1
    assert fits(page)
    assert violations(page) == []


@pytest.mark.parametrize("fault", ["slow", "refuses", "many"])
def test_a_registry_is_never_in_the_way(
    open_page: OpenPage,
    site: FakeSite,
    keep_shot: Callable[[Page, str], None],
    fault: str,
) -> None:
    registries = site.registries
    registries.hangs = fault == "slow"
    if fault == "refuses":
        registries.refusal = RegistryUnavailable(
            "images.example.org does not list its images to you.",
            "Type the name of one.",
        )
    registries.images |= {f"team/n{n}-{'x' * 200}": {} for n in range(300)}
    said = {"slow": "did not answer", "refuses": "Type the name", "many": "first 200"}
    path = "training/new?tenant=vision&queue=cpu&name=by-hand"
    page = open_page(path, before=no_agent, viewport=NARROW)
    page.locator("[data-step='2']").click()
    page.fill("#field-command", "true")
    image = page.get_by_label("Or a container image")
    image.focus()
    expect(page.locator("[data-images] [role=status]")).to_contain_text(said[fault])
    keep_shot(page, f"picker-{fault}-light-390")
    assert fits(page)
    assert violations(page) == []
    image.fill("team/tool:1.0")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url("**/training/1?*")
    [run] = site.runs.store.runs.values()
    assert run.spec.image == f"images.example.org/team/tool:1.0@{DIGEST}"


def test_a_site_without_registries_has_the_field_alone(
    open_page: OpenPage, site: FakeSite
) -> None:
    page = open_page("me")
    none = json.dumps({"registries": []})
    page.route("**/api/v1/images/registries", lambda route: answer(route, none))
    page.goto(site.url("preprocessing/new?tenant=vision"))
    expect(page.locator("#field-image")).to_be_visible()
    expect(page.locator("#pick-registry")).to_be_hidden()
    expect(page.locator("#pick-tag")).to_be_hidden()
