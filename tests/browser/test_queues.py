"""The list of queues in a browser: live, filtered, sorted, remembered, never untrue."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from playwright.sync_api import Page, expect

from kqi_hub.domain.cluster import Freshness, Reading
from tests.browser.conftest import OpenPage, Show
from tests.browser.gallery import each_look, fits, in_both, violations
from tests.fakes.queues import node, partition, reading
from tests.fakes.site import FakeSite

HOME = "?tenant=vision"
# A moment; on a busy machine it is longer.
SOON_S = 20.0


def names(page: Page) -> list[str]:
    rows = page.locator(".queue-table tbody tr:visible .queue-name a")
    return rows.all_inner_texts()


def crowd(site: FakeSite, count: int = 100) -> None:
    """Fill the cluster with queues and nodes."""
    nodes = [
        node(f"n{i:04d}", f"q{i % count:03d}", used=((i % 3) * 32, 1000, 0))
        for i in range(20 * count)
    ]
    queues = [
        partition(f"q{k:03d}", [n for n in nodes if f"q{k:03d}" in n.partitions])
        for k in range(count)
    ]
    site.queues.store.save(Reading(time.time(), tuple(nodes), tuple(queues), ()), {})


@in_both(["jupyter", "a100", "cpu"])
def test_a_queue_s_own_page_is_accessible_and_fits(
    show: Show,
    keep_shot: Callable[[Page, str], None],
    name: str,
    looks: Any,
) -> None:
    colours, size = looks[0]
    page = show(f"queues/{name}{HOME}", colours=colours, size=size)
    for look in each_look(page, looks):
        keep_shot(page, f"queues-{name}-{look}")
        assert fits(page)
        assert violations(page) == []


@in_both(["stale", "none", "failed", "crowd"])
def test_every_state_of_the_picture_is_accessible_and_fits(
    open_page: OpenPage,
    site: FakeSite,
    keep_shot: Callable[[Page, str], None],
    name: str,
    looks: Any,
) -> None:
    store, now = site.queues.store, time.time()
    if name == "crowd":
        crowd(site, 20)
    elif name == "failed":
        store.mark_failed("Unable to contact slurm controller (connect failure)", now)
        store.fresh = replace(store.fresh, tried_at=now + 5)
    elif name == "stale":
        store.fresh = replace(store.fresh, taken_at=now - 600)
    else:
        store.reading = Reading(0.0, (), (), ())
        store.known.clear()
        store.fresh = Freshness(0, None, None)
    colours, size = looks[0]
    page = open_page(HOME, viewport=size, color_scheme=colours)
    said = {
        "stale": "This picture is 10 min",
        "failed": "Unable to contact slurm controller",
        "none": "Nothing is known of the cluster yet",
        "crowd": "q019",
    }
    expect(page.locator("main")).to_contain_text(said[name])
    for look in each_look(page, looks):
        keep_shot(page, f"home-{name}-{look}")
        assert fits(page)
        assert violations(page) == []


def test_the_list_changes_by_itself_when_the_worker_has_looked(
    open_page: OpenPage, site: FakeSite
) -> None:
    page = open_page(HOME)
    row = page.locator("tr[data-queue=v100]")
    expect(row).to_have_attribute("data-idle", "1")
    seen = reading(time.time() + 1)
    nodes = tuple(
        replace(one, state="idle", cpus_used=0) if one.name == "v100-01" else one
        for one in seen.nodes
    )
    site.queues.store.save(replace(seen, nodes=nodes), {})
    expect(row).to_have_attribute("data-idle", "2")


def until(page: Page, what: Callable[[], object]) -> None:
    """Return when something is true at the portal; the page goes on meanwhile."""
    end = time.monotonic() + SOON_S
    while not what():
        assert time.monotonic() < end, "it did not come true"
        page.wait_for_timeout(50)


def test_a_hidden_page_listens_to_nothing_and_a_shown_one_listens_again(
    open_page: OpenPage, site: FakeSite
) -> None:
    page = open_page(HOME)
    until(page, lambda: site.live.count == 1)
    hide = """(value) => {
      const about = {value, configurable: true};
      Object.defineProperty(document, 'visibilityState', about);
      document.dispatchEvent(new Event('visibilitychange'));
    }"""
    page.evaluate(hide, "hidden")
    until(page, lambda: site.live.count == 0)
    page.evaluate(hide, "visible")
    until(page, lambda: site.live.count == 1)


def test_a_stream_that_breaks_is_begun_again(
    open_page: OpenPage, site: FakeSite
) -> None:
    page = open_page(HOME)
    until(page, lambda: site.live.count == 1)
    site.live.close()
    until(page, lambda: site.live.count == 0)
    until(page, lambda: site.live.count == 1)


def test_refresh_asks_the_worker_and_waits_for_its_picture(
    open_page: OpenPage, site: FakeSite
) -> None:
    page = open_page(HOME)
    button = page.get_by_role("button", name="Refresh")
    button.click()
    expect(button).to_have_attribute("aria-busy", "true")
    until(page, lambda: site.queues.store.asked is not None)
    site.queues.take(time.time() + 1)
    expect(page.locator("#said")).to_contain_text("looked at anew")
    expect(button).not_to_have_attribute("aria-busy", "true")


def test_refresh_says_why_not_when_slurm_does_not_answer(
    open_page: OpenPage, site: FakeSite
) -> None:
    page = open_page(HOME)
    site.queues.store.mark_failed("Unable to contact slurm controller", time.time() + 9)
    page.get_by_role("button", name="Refresh").click()
    expect(page.locator("#failed")).to_contain_text("Unable to contact")


def test_filter_order_and_choice_are_remembered_and_outlive_a_renewal(
    open_page: OpenPage, site: FakeSite
) -> None:
    crowd(site)
    page = open_page(HOME)
    assert len(names(page)) == 100
    page.get_by_label("Filter").fill("q01")
    page.get_by_label("Sort by").select_option("idle")
    assert len(names(page)) == 10
    rows = page.locator(".queue-table tbody tr:visible")
    idle = rows.evaluate_all("rows => rows.map(row => Number(row.dataset.idle))")
    assert idle == sorted(idle, reverse=True)
    page.reload()
    assert len(names(page)) == 10
    crowd(site, 99)
    expect(page.locator("tr[data-queue=q098]")).to_have_count(1)
    page.wait_for_timeout(1500)
    assert len(names(page)) == 10
    page.get_by_label("Filter").fill("nothing like this <b>")
    assert names(page) == []
    expect(page.locator(".none-left")).to_be_visible()


def test_queues_that_one_cannot_use_are_shown_on_wish(open_page: OpenPage) -> None:
    page = open_page(HOME, "victor")
    # Who may use none is shown all, with the reason.
    assert len(names(page)) == 4
    expect(page.locator("main")).to_contain_text("You may not run jobs in tenant")
    expect(page.get_by_role("link", name="New notebook")).to_have_count(0)


def test_price_and_wait_follow_the_job_that_one_thinks_of(open_page: OpenPage) -> None:
    page = open_page(HOME)
    row = page.locator("tr[data-queue=cpu]")
    expect(row).to_contain_text("¥1.5")
    page.get_by_label("CPUs", exact=True).fill("16")
    page.get_by_role("button", name="Show price and wait").click()
    expect(row).to_contain_text("¥24")
    assert "cpus=16" in page.url
    page.get_by_label("GPUs", exact=True).fill("1")
    page.get_by_role("button", name="Show price and wait").click()
    expect(row).to_contain_text("does not fit")


def test_without_script_the_list_and_refresh_work(
    open_page: OpenPage, site: FakeSite
) -> None:
    page = open_page(HOME, java_script_enabled=False)
    assert len(names(page)) == 4
    page.get_by_role("button", name="Refresh").click()
    expect(page.locator("#said")).to_contain_text("A fresh look at Slurm is asked for")
    assert site.queues.store.asked is not None


def test_a_row_leads_to_a_new_notebook_and_to_the_queue_s_page(
    open_page: OpenPage,
) -> None:
    page = open_page(HOME)
    row = page.locator("tr[data-queue=a100]")
    way = row.get_by_role("link", name="New notebook").get_attribute("href") or ""
    assert "notebooks/new?queue=a100" in way
    row.get_by_role("link", name="a100", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Queue a100")
    expect(page.locator("main")).to_contain_text("Its queue is full")
    expect(page.locator("main")).to_contain_text("1 of yours, 1 of others.")
    expect(page.locator("main")).not_to_contain_text("mallory")
