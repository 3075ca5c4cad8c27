"""A run in a container image, asked for in a browser."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from kqi_hub.domain.errors import RegistryUnavailable
from tests.browser.conftest import OpenPage
from tests.browser.gallery import NARROW, WIDE, fits, no_agent, violations
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
