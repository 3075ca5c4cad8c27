"""Pages of data and datasets: what they say of whatever people call things."""

import re

import pytest

from kqi_hub.domain.data import Kind, Placed, Thing, Use
from kqi_hub.domain.datasets import NewDataset
from tests.adapters.handlers.browser import Browser
from tests.adapters.handlers.conftest import Client
from tests.browser.data_states import HOSTILE, NOW, furnish_data, keep
from tests.fakes.site import FakeSite

PER_PAGE = 50
ODD = (
    *HOSTILE,
    "a'b\"c&d",
    "{{ 7 * 7 }}",
    "%s %(name)s {name}",
    "../../etc/passwd",
    " spaces  inside ",
)


def shown(text: str) -> list[int]:
    return [int(number) for number in re.findall(r'id="name-(\d+)"', text)]


@pytest.fixture
def furnished(site: FakeSite) -> FakeSite:
    return furnish_data(site)


@pytest.mark.parametrize("name", ODD)
async def test_whatever_things_are_called_they_are_text(
    ask: Client, site: FakeSite, name: str
) -> None:
    item = keep(site, name, {f"d/{name.replace('/', '_')[:100]}": 1}, (name[:60],),
                memo=name)  # fmt: skip
    made = site.data.datasets.create(
        NewDataset("vision", name, name, False, (Placed("training", item.id),)),
        "mia",
        NOW,
    )
    paths = (
        f"data/{item.id}", f"data/{item.id}?folder=d", f"data/{item.id}/edit",
        f"data/{item.id}/delete", f"data/{item.id}/add", "data", "data/new",
        f"datasets/{made.id}", f"datasets/{made.id}/edit", "datasets", "datasets/new",
        f"datasets/{made.id}/paths", f"datasets/{made.id}/delete",
    )  # fmt: skip
    for path in paths:
        sign = "&" if "?" in path else "?"
        answer = await ask(f"{path}{sign}tenant=vision", "mia")
        assert answer.status == 200, path
        assert "<script>alert" not in answer.text
        assert "49" not in re.findall(r"<h1>(.*?)</h1>", answer.text)


async def test_a_page_of_the_list_has_fifty_and_knows_the_others(
    ask: Client, site: FakeSite
) -> None:
    for number in range(120):
        keep(site, f"item {number}", {})
    first = (await ask("data?tenant=vision", "mia")).text
    assert shown(first) == list(range(120, 70, -1))
    assert "1-50 of 120" in first
    last = (await ask("data?tenant=vision&page=9", "mia")).text
    assert shown(last) == list(range(20, 0, -1))
    assert "101-120 of 120" in last
    upwards = (await ask("data?tenant=vision&sort=id", "mia")).text
    assert shown(upwards)[:2] == [1, 2]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("name=signs", [3, 1]),
        ("name=!signs&tag=raw", [2]),
        ("tag=2026", [3, 1]),
        ("tag=2026,!raw", [3]),
        ("id=%3E=2,%3C4", [3, 2]),
        ("created_by=max", [4]),
        ("memo=gate", [1]),
        ("id=two", []),
        ("created_at=never", []),
    ],
)
async def test_conditions_find_what_they_say(
    ask: Client, furnished: FakeSite, query: str, numbers: list[int]
) -> None:
    text = (await ask(f"data?tenant=vision&{query}", "mia")).text
    assert shown(text) == numbers
    assert ('id="unread"' in text) is (query in {"id=two", "created_at=never"})


async def test_a_link_beside_the_list_keeps_what_is_looked_for(
    ask: Client, site: FakeSite
) -> None:
    for number in range(60):
        keep(site, f"item {number}", {}, ("raw",))
    text = (await ask("data?tenant=vision&tag=raw&sort=name", "mia")).text
    [following] = re.findall(r'rel="next" href="([^"]*)"', text)
    for part in ("tenant=vision", "tag=raw", "sort=name", "page=2"):
        assert part in following


@pytest.mark.parametrize(
    "query", ["sort=colour", "page=0", "page=x", f"name={'x' * 300}"]
)
async def test_an_odd_query_is_refused_in_words(
    ask: Client, furnished: FakeSite, query: str
) -> None:
    answer = await ask(f"data?tenant=vision&{query}", "mia")
    assert answer.status == 400


@pytest.mark.parametrize(
    "path",
    ["data/0", "data/x", "data/99", f"data/{'9' * 40}", "datasets/0", "datasets/abc",
     "datasets/99/edit", "data/99/delete", "datasets/1/paths?after=nonsense"],
)  # fmt: skip
async def test_what_is_not_there_is_said(
    ask: Client, furnished: FakeSite, path: str
) -> None:
    assert (await ask(path, "mia")).status in {400, 404}


async def test_other_tenants_see_nothing(ask: Client, furnished: FakeSite) -> None:
    for path in ("data/1", "datasets/1", "data?tenant=vision", "storage?tenant=vision"):
        assert (await ask(path, "mallory")).status == 404


async def test_a_change_of_others_is_refused_in_the_page(
    browser: Browser, furnished: FakeSite
) -> None:
    await browser.log_in("mia")
    page = await browser.open("data/4?tenant=vision")
    sent = await browser.send(
        "data/4/edit", {"_xsrf": page.xsrf, "name": "mine", "memo": ""}
    )
    assert sent.status == 403
    assert "max made this" in sent.text
    assert furnished.data.lab.book.items[4].name == "made by max"


async def test_what_was_typed_stays_when_a_form_is_refused(
    browser: Browser, furnished: FakeSite
) -> None:
    await browser.log_in("mia")
    page = await browser.open("data/1/edit?tenant=vision")
    sent = await browser.send(
        "data/1/edit", {"_xsrf": page.xsrf, "name": "", "memo": "typed <b>long</b>"}
    )
    assert sent.status == 400
    assert "typed &lt;b&gt;long&lt;/b&gt;" in sent.text
    changed = await browser.send(
        "data/1/edit",
        {"_xsrf": page.xsrf, "name": "signs", "memo": "a\r\nb", "seen_at": "1.0"},
    )
    assert changed.status == 409
    assert furnished.data.lab.book.items[1].memo == "From the gate."


async def test_tags_come_and_go_and_odd_ones_are_refused(
    browser: Browser, furnished: FakeSite
) -> None:
    await browser.log_in("mia")
    page = await browser.open("data/2?tenant=vision")
    for tag, then in (("new", "tag"), ("raw", "untag")):
        sent = await browser.send(
            "data/2/tags", {"_xsrf": page.xsrf, "tag": tag, "then": then}
        )
        assert sent.status == 200
    assert furnished.data.lab.book.items[2].tags == ("animals", "new")
    for tag in ("", "a,b", "!no", "x" * 101, "two\nlines"):
        sent = await browser.send(
            "data/2/tags", {"_xsrf": page.xsrf, "tag": tag, "then": "tag"}
        )
        assert sent.status == 400
        assert "cannot be a tag" in sent.text


async def test_a_locked_dataset_and_its_data_name_what_holds_them(
    browser: Browser, furnished: FakeSite
) -> None:
    await browser.log_in("mia")
    page = await browser.open("datasets/1?tenant=vision")
    assert "Training" in page.main
    sent = await browser.send("datasets/1/delete", {"_xsrf": page.xsrf})
    assert sent.status == 409
    assert 1 in furnished.data.datasets.datasets
    refused = await browser.send("data/1/delete", {"_xsrf": page.xsrf})
    assert refused.status == 409
    assert "signs 2026" in refused.main
    taken = await browser.send("data/1/take", {"_xsrf": page.xsrf, "path": "notes.txt"})
    assert taken.status == 409


async def test_lineage_shows_both_sides_and_no_names_of_others_notebooks(
    ask: Client, furnished: FakeSite
) -> None:
    notebook, dataset = Thing(Kind.NOTEBOOK, "77"), Thing(Kind.DATASET, "2")
    furnished.data.datasets.record(Use(dataset, notebook, NOW, locks=False))
    parent = (await ask("data/1?tenant=vision", "mia")).text
    assert "signs, cropped" in parent
    child = (await ask("data/3?tenant=vision", "mia")).text
    assert "street signs" in child.partition("Made from")[2]
    used = (await ask("datasets/2?tenant=vision", "mia")).text
    assert "#77" in used
    assert "notebooks/77" not in used


async def test_a_copy_keeps_entries_and_takes_a_name_of_its_own(
    browser: Browser, furnished: FakeSite
) -> None:
    await browser.log_in("mia")
    page = await browser.open("datasets/1?tenant=vision")
    sent = await browser.send("datasets/1/copy", {"_xsrf": page.xsrf, "name": ""})
    assert "/datasets/4/edit" in sent.url
    sets = furnished.data.datasets
    assert set(sets.entries[4]) == set(sets.entries[1])
    assert sets.datasets[4].name == "signs 2026 (copy)"


async def test_the_room_says_who_keeps_what(ask: Client, furnished: FakeSite) -> None:
    text = (await ask("storage?tenant=vision", "mia")).text
    assert "no limit" in text
    assert re.search(r'created_by=max[^"]*"[^>]*>max<', text)
    furnished.data.lab.store.is_down = True
    text = (await ask("storage?tenant=vision", "mia")).text
    assert "The store does not answer right now." in text


async def test_who_belongs_to_no_tenant_is_told_so(
    ask: Client, furnished: FakeSite
) -> None:
    for path in ("data", "datasets", "storage"):
        assert (await ask(path, "rita")).status == 200
