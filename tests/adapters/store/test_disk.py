"""What becomes of files on the store's disk, without its faces."""

import hashlib
import os
from pathlib import Path

import pytest

from kqi_hub.domain.data import FLAT, Placed
from kqi_hub.domain.data_ports import Published
from kqi_hub.domain.errors import Conflict, Incomplete, KqiError, NotFound
from kqi_hub.store.house import House
from kqi_hub.store.sweeping import Known
from tests.adapters.store.disk import publish, send, settle, ticket, told

FILES = [("a.txt", b"hello"), ("deep/er/b.bin", b"x" * 5000), ("empty", b"")]
NOTHING = Known((), (), ())
KEY = "a" * 40


def contents(house: House) -> list[str]:
    folder = house.tenants.place("vision").objects
    return sorted(one.name for one in folder.glob("*/*"))


def test_published_files_are_there_and_told_by_pages_in_the_order_of_their_paths(
    house: House, tmp_path: Path
) -> None:
    assert publish(house, FILES, 7) == Published(3, 5005)
    item = tmp_path / "vision/data/7"
    found = {str(one.relative_to(item)) for one in item.rglob("*") if one.is_file()}
    assert found == {path for path, _ in FILES}
    for path, data in FILES:
        assert (item / path).read_bytes() == data
    first = house.uploaded("vision", "upload-1", "", 2)
    rest = house.uploaded("vision", "upload-1", first[-1].path, 2)
    told_files = [(one.path, one.size, one.sha256) for one in (*first, *rest)]
    assert told_files == [
        (path, len(data), hashlib.sha256(data).hexdigest()) for path, data in FILES
    ]


def test_identical_content_is_kept_once_across_items_and_names(house: House) -> None:
    publish(house, [("a", b"same"), ("b", b"same"), ("c", b"other")], 1)
    publish(house, [("z", b"same")], 2, key="upload-2")
    assert len(contents(house)) == 2


def test_removing_frees_what_nobody_else_counts_on(
    house: House, tmp_path: Path
) -> None:
    publish(house, [("a", b"same"), ("b", b"alone")], 1)
    publish(house, [("z", b"same")], 2, key="upload-2")
    for key in ("upload-1", "upload-2"):
        house.drop("vision", key)
    house.remove("vision", 1)
    settle(house)
    assert contents(house) == [hashlib.sha256(b"same").hexdigest()]
    assert (tmp_path / "vision/data/2/z").read_bytes() == b"same"
    house.remove("vision", 2)
    settle(house)
    assert contents(house) == []


def test_single_files_are_removed_with_folders_that_become_empty(
    house: House, tmp_path: Path
) -> None:
    publish(house, FILES, 1)
    house.drop("vision", "upload-1")
    settle(house)
    house.remove_files("vision", 1, ["deep/er/b.bin", "no/such", "a.txt/below"])
    settle(house)
    assert not (tmp_path / "vision/data/1/deep").exists()
    assert contents(house) == [hashlib.sha256(b"hello").hexdigest()]


def test_publishing_again_says_the_same_and_another_item_is_refused(
    house: House,
) -> None:
    publish(house, FILES, 1)
    assert house.publish("vision", "upload-1", 1, Published(3, 5005), told).files == 3
    with pytest.raises(Conflict):
        house.publish("vision", "upload-1", 2, Published(3, 5005), told)


@pytest.mark.parametrize("announced", [Published(4, 5005), Published(3, 5006)])
def test_publishing_before_all_is_here_is_refused_and_the_rest_may_come(
    house: House, announced: Published
) -> None:
    send(house, FILES)
    with pytest.raises(Incomplete) as refused:
        house.publish("vision", "upload-1", 1, announced, told)
    assert "3 of" in refused.value.message
    assert not house.tenants.place("vision").item(1).exists()
    send(house, [("more", b"1")])
    assert house.publish("vision", "upload-1", 1, Published(4, 5006), told).files == 4


def test_a_file_that_is_cut_off_is_named_when_publishing_is_refused(
    house: House,
) -> None:
    word = ticket()
    upload = house.uploads.take(word)
    part = upload.begin(word, "half", 10, 0, self_sender := object())
    assert not isinstance(part, str)
    part.write(self_sender, b"12345")
    part.leave(self_sender)
    house.uploads.leave(word)
    with pytest.raises(Incomplete) as refused:
        house.publish("vision", "upload-1", 1, Published(1, 10), told)
    assert refused.value.cut == ("half",)


def test_an_upload_of_nothing_becomes_an_empty_item(
    house: House, tmp_path: Path
) -> None:
    house.publish("vision", "upload-1", 1, Published(0, 0), told)
    assert list((tmp_path / "vision/data/1").iterdir()) == []


def test_more_files_join_an_item_and_a_path_that_it_has_is_refused_before_any(
    house: House, tmp_path: Path
) -> None:
    publish(house, FILES, 1)
    publish(house, [("new", b"n"), ("deep/new", b"n")], 1, key="upload-2")
    item = tmp_path / "vision/data/1"
    assert (item / "deep/new").read_bytes() == b"n"
    for number, path in enumerate(("a.txt", "a.txt/below", "empty", "deep"), 3):
        with pytest.raises(Conflict):
            publish(house, [("aaa", b"1"), (path, b"2")], 1, key=f"upload-{number}")
        assert not (item / "aaa").exists()


@pytest.mark.parametrize(
    ("first", "second"),
    [("a", "a/b"), ("a/b", "a"), ("x/y/z", "x/y"), ("x", "x/y/z")],
)
def test_a_path_cannot_be_file_and_folder_in_one_pack_or_in_two(
    house: House, first: str, second: str
) -> None:
    with pytest.raises(KqiError) as refused:
        send(house, [(first, b"1"), (second, b"2")])
    assert refused.value.code == "path-taken"
    send(house, [(first, b"1")])
    with pytest.raises(KqiError) as refused:
        send(house, [(second, b"2")])
    assert refused.value.code == "path-taken"


def test_a_dropped_upload_leaves_nothing_and_takes_nothing_more(house: House) -> None:
    send(house, FILES)
    house.drop("vision", "upload-1")
    settle(house)
    assert contents(house) == []
    with pytest.raises(KqiError) as refused:
        send(house, FILES)
    assert refused.value.status == 410


def test_content_that_a_power_failure_cut_short_must_come_again(house: House) -> None:
    send(house, FILES)
    upload = house.uploads.take(word := ticket())
    row = next(one for one in upload.rows() if one.path == "deep/er/b.bin")
    lost = upload.path_of(row.number)
    house.uploads.leave(word)
    lost.chmod(0o640)
    os.truncate(lost, 100)
    lost.chmod(0o440)
    with pytest.raises(Incomplete) as refused:
        house.publish("vision", "upload-1", 1, Published(3, 5005), told)
    assert refused.value.cut == ("deep/er/b.bin",)
    send(house, FILES)
    house.publish("vision", "upload-1", 1, Published(3, 5005), told)
    item = house.tenants.place("vision").item(1)
    assert (item / "deep/er/b.bin").read_bytes() == b"x" * 5000


def test_a_tree_is_built_once_of_links_and_holds_what_a_job_needs(
    house: House, tmp_path: Path
) -> None:
    publish(house, FILES, 1)
    publish(house, [("z", b"last")], 2, key="upload-2")
    placed = [Placed("training", 1), Placed("testing", 1), Placed("testing", 2)]
    tree = house.tree("vision", KEY, placed, {"name": "集合"}, told)
    assert (tree.files, tree.bytes, tree.built) == (7, 10014, True)
    folder = Path(tree.path)
    assert (folder / "testing/2/z").read_bytes() == b"last"
    assert "集合" in (folder / "meta.json").read_text()
    linked = (folder / "training/1/deep/er/b.bin").stat()
    assert linked.st_ino == (tmp_path / "vision/data/1/deep/er/b.bin").stat().st_ino
    again = house.tree("vision", KEY, placed, {}, told)
    assert (again.files, again.built) == (7, False)
    assert house.find_tree("vision", KEY) == again


def test_a_flat_tree_has_items_at_its_top(house: House) -> None:
    publish(house, FILES, 1)
    tree = house.tree("vision", KEY, [Placed(FLAT, 1)], {}, told)
    assert (Path(tree.path) / "1/a.txt").read_bytes() == b"hello"


@pytest.mark.parametrize("kind", ["..", "a/b", "meta.json", "x" * 300, "a\nb", "\0"])
def test_a_type_that_is_no_folders_name_is_refused(house: House, kind: str) -> None:
    publish(house, FILES, 1)
    with pytest.raises(KqiError):
        house.tree("vision", KEY, [Placed(kind, 1)], {}, told)
    assert house.find_tree("vision", KEY) is None


def test_a_tree_of_an_item_that_is_not_here_leaves_nothing(house: House) -> None:
    with pytest.raises(NotFound):
        house.tree("vision", KEY, [Placed("training", 9)], {}, told)
    settle(house)
    place = house.tenants.place("vision")
    assert list(place.trees.iterdir()) == list(place.building.iterdir()) == []


def test_a_dropped_tree_is_gone_and_can_be_built_again(house: House) -> None:
    publish(house, FILES, 1)
    house.tree("vision", KEY, [Placed("training", 1)], {}, told)
    house.drop_tree("vision", KEY)
    settle(house)
    assert house.find_tree("vision", KEY) is None
    assert house.tree("vision", KEY, [Placed("training", 1)], {}, told).built


def test_the_sweep_finds_everything_that_nobody_knows_and_what_is_missing(
    house: House,
) -> None:
    publish(house, FILES, 1)
    house.tree("vision", KEY, [Placed("training", 1)], {}, told)
    place = house.tenants.place("vision")
    (place.building / "data-9-left").mkdir()
    stray = place.objects / "00" / ("00" + "1" * 62)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"nobody's")
    found = house.sweep("vision", Known((), (5,), ()), remove=False, older_than_s=0)
    kinds = sorted((one.kind, one.name) for one in found.strays)
    assert kinds == [
        ("building", "data-9-left"), ("content", stray.name), ("data", "1"),
        ("tree", KEY), ("upload", "upload-1"),
    ]  # fmt: skip
    assert found.missing_data == (5,)
    young = house.sweep("vision", NOTHING, remove=True)
    assert young.strays == ()
    assert place.item(1).exists()
    known = Known(("upload-1",), (1,), (KEY,))
    house.sweep("vision", known, remove=True, older_than_s=0)
    assert not stray.exists()
    assert place.item(1).exists()
    house.sweep("vision", NOTHING, remove=True, older_than_s=0)
    settle(house)
    house.sweep("vision", NOTHING, remove=True, older_than_s=0)
    left = [one for one in place.path.rglob("*") if one.is_file()]
    assert [one.name for one in left] == ["upload-1.gone"]


def test_what_is_kept_is_counted_once_for_each_content(house: House) -> None:
    publish(house, [("a", b"x" * 9000), ("b", b"x" * 9000)], 1)
    kept = house.kept("vision")
    assert (kept.contents, kept.incoming_bytes) == (1, 18000)
    assert 9000 <= kept.content_bytes < 18000


def test_a_content_with_more_links_than_the_file_system_allows_gets_a_twin(
    house: House, tmp_path: Path
) -> None:
    most = os.pathconf(tmp_path, "PC_LINK_MAX")
    if most > 100_000:
        pytest.skip(f"this file system allows {most} links")
    files = [(f"{n // 1000}/{n}", b"same") for n in range(most // 2 + 10)]
    publish(house, files, 1)
    assert len(contents(house)) == 2
    tree = house.tree("vision", KEY, [Placed("training", 1)], {}, told)
    assert tree.files == len(files)
    names = [path for path, _ in files]
    item, folder = tmp_path / "vision/data/1", Path(tree.path) / "training/1"
    assert all((item / one).read_bytes() == b"same" for one in names[::500])
    assert all((folder / one).read_bytes() == b"same" for one in names[::500])


def test_tenants_are_apart(house: House) -> None:
    publish(house, FILES, 1)
    assert house.received("nlp", ["upload-1"]) == {}
    with pytest.raises(NotFound):
        house.tree("nlp", KEY, [Placed("training", 1)], {}, told)


@pytest.mark.parametrize("tenant", ["..", "", "a/b", "missing", ".", "x" * 65, "a\0"])
def test_names_that_are_no_tenants_are_refused(house: House, tenant: str) -> None:
    with pytest.raises(KqiError):
        house.drop(tenant, "upload-1")


def test_a_file_whose_upload_is_dropped_meanwhile_leaves_nothing(house: House) -> None:
    word, sender = ticket(), object()
    upload = house.uploads.take(word)
    part = upload.begin(word, "a", 5, 0, sender)
    assert not isinstance(part, str)
    part.write(sender, b"hello")
    house.drop("vision", "upload-1")
    settle(house)
    with pytest.raises(KqiError) as refused:
        upload.finish("a", part, sender)
    assert refused.value.status == 410
    house.uploads.leave(word)
    assert contents(house) == []
