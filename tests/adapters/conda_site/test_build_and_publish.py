import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from conda_bootstrap.errors import BootstrapError, WrongUse
from conda_bootstrap.site import publishing
from conda_bootstrap.site.command import main
from conda_bootstrap.site.keeping import overview, remove_old
from conda_bootstrap.site.lock import hash_of, read_lock
from conda_bootstrap.site.publishing import Offer, publish
from tests.adapters.conda_site.conftest import Lab
from tests.adapters.conda_site.wheels import make_channel, tiny_package


def publish_tiny(lab: Lab, **changes: object) -> None:
    lab.build(**changes)
    publish(lab.site, ("tiny",), Offer(), lab.heard)


def test_a_built_base_has_lock_list_and_description(lab: Lab) -> None:
    built = lab.build()
    assert built.is_new
    assert built.folder.name == hash_of(built.folder / "lock")[:12]
    described = json.loads((built.folder / "base.json").read_text())
    assert described["packages"] == 2
    assert described["lock_sha256"] == hash_of(built.folder / "lock")
    sizes = [path.stat().st_size for path in lab.site.channel.glob("*/*.conda")]
    assert described["download_bytes"] == sum(sizes)
    assert described["installed_files"] == 2 * 4 + 2
    explicit = (built.folder / "explicit.txt").read_text().splitlines()
    assert explicit[:2] == ["# platform: linux-64", "@EXPLICIT"]
    assert explicit[2].startswith(f"{lab.site.channel.as_uri()}/linux-64/part-1.0-0")
    assert len(explicit[2].partition("#")[2]) == 32


def test_the_lock_leads_to_the_mirror_and_not_to_the_source(lab: Lab) -> None:
    built = lab.build()
    assert str(lab.channel) not in (built.folder / "lock").read_text()
    urls = [record.url for record in read_lock(built.folder / "lock")]
    assert all(url.startswith(lab.site.channel.as_uri()) for url in urls)


def test_building_the_same_again_makes_no_new_lock_and_fetches_nothing(
    lab: Lab,
) -> None:
    first = lab.build()
    fetched = len(lab.heard.counts)
    make_channel(lab.channel)  # indexed at another time
    second = lab.build()
    assert (second.is_new, second.folder) == (False, first.folder)
    assert len(lab.heard.counts) == fetched


def test_a_build_alone_offers_nothing(lab: Lab) -> None:
    lab.build()
    assert lab.site.current("tiny") is None
    assert not lab.site.settings.exists()


def test_publishing_moves_current_and_says_what_is_offered(lab: Lab) -> None:
    publish_tiny(lab)
    settings = json.loads(lab.site.settings.read_text())
    assert settings == {
        "version": 1,
        "channels": [lab.site.channel.as_uri()],
        "default_base": "tiny",
        "bases": ["tiny"],
        "backend": "rattler",
        "backend_path": None,
    }
    assert (lab.site.bases / "tiny/current").readlink() == Path(lab.build().folder.name)
    assert lab.wrong() == []


def test_a_newer_package_makes_a_newer_lock_and_the_old_one_stays(lab: Lab) -> None:
    publish_tiny(lab)
    old = lab.site.current("tiny")
    assert old is not None
    make_channel(lab.channel, tiny_package("part", "2.0"))
    publish_tiny(lab)
    assert lab.site.current("tiny") != old
    assert len(read_lock(old / "lock")) == 2
    assert lab.package("part-1.0-0.conda").exists()
    assert lab.wrong() == []
    assert [one["current"] for one in overview(lab.site)].count(True) == 1


def test_an_older_lock_can_be_published_again(lab: Lab) -> None:
    publish_tiny(lab)
    old = lab.site.current("tiny")
    assert old is not None
    make_channel(lab.channel, tiny_package("part", "2.0"))
    publish_tiny(lab)
    publish(lab.site, ("tiny",), Offer(versions={"tiny": old.name[:5]}), lab.heard)
    assert lab.site.current("tiny") == old


def test_removing_old_locks_removes_what_only_they_named(lab: Lab) -> None:
    publish_tiny(lab)
    make_channel(lab.channel, tiny_package("part", "2.0"))
    publish_tiny(lab)
    assert remove_old(lab.site, 1, lab.heard).locks == 0
    gone = remove_old(lab.site, 0, lab.heard)
    assert (gone.locks, gone.packages) == (1, 1)
    assert not lab.package("part-1.0-0.conda").exists()
    assert lab.package().exists()
    assert lab.wrong() == []


def test_everybody_can_read_it_whatever_the_umask(lab: Lab) -> None:
    old = os.umask(0o077)
    try:
        publish_tiny(lab)
    finally:
        os.umask(old)
    for path in [lab.site.path, *lab.site.path.rglob("*")]:
        if not path.name.startswith("."):
            mode = path.stat().st_mode
            assert mode & stat.S_IROTH, path
            assert not mode & stat.S_IWOTH, path


def test_a_publication_that_breaks_leaves_what_was_offered(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_tiny(lab)
    before = lab.site.current("tiny"), lab.site.settings.read_text()
    make_channel(lab.channel, tiny_package("part", "2.0"))
    lab.build()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(publishing, "write_index", full)
    with pytest.raises(OSError, match="No space"):
        publish(lab.site, ("tiny",), Offer(), lab.heard)
    assert (lab.site.current("tiny"), lab.site.settings.read_text()) == before
    assert lab.wrong() == []


def test_an_unfinished_build_is_no_version_and_goes_with_the_old_ones(
    lab: Lab,
) -> None:
    publish_tiny(lab)
    left = lab.site.bases / "tiny/.unfinished-1234abcd"
    left.mkdir()
    (left / "lock").write_text("half")
    assert len(overview(lab.site)) == 1
    assert lab.wrong() == []
    remove_old(lab.site, 9, lab.heard)
    assert not left.exists()


def test_what_the_operator_settled_stays_when_published_again(lab: Lab) -> None:
    lab.build()
    tool = Offer(backend="mamba", backend_path="/x/mamba", more_channels=("c",))
    publish(lab.site, ("tiny",), tool, lab.heard)
    publish(lab.site, ("tiny",), Offer(), lab.heard)
    settings = json.loads(lab.site.settings.read_text())
    assert (settings["backend"], settings["backend_path"]) == ("mamba", "/x/mamba")
    assert settings["channels"] == [lab.site.channel.as_uri(), "c"]


def test_what_cannot_be_solved_is_said_with_the_reason(lab: Lab) -> None:
    lab.file("dependencies: [tool, 'part >7']\n")
    with pytest.raises(BootstrapError, match="part >7"):
        lab.build()
    assert overview(lab.site) == []


def test_a_channel_that_is_none_is_said(lab: Lab) -> None:
    with pytest.raises(BootstrapError, match="nowhere"):
        lab.build(channels=((lab.folder / "nowhere").as_uri(),))


@pytest.mark.parametrize(
    "name", ["", "..", "a/b", "A", "a b", "a\n", "ä", ".x", "a" * 41, "current\0"]
)
def test_a_base_is_not_named_like_that(lab: Lab, name: str) -> None:
    with pytest.raises(WrongUse):
        lab.build(name=name)


def test_nodes_have_what_the_description_says(lab: Lab) -> None:
    gpu = tiny_package("gpu", depends=("__cuda >=12",))
    make_channel(lab.channel, gpu)
    lab.file("dependencies: [gpu]\n")
    with pytest.raises(BootstrapError, match="__cuda"):
        lab.build(machine={"__cuda": "11.8"})
    (lab.folder / "tiny.toml").write_text('[machine]\n__cuda = "12.4"\n')
    assert lab.build().packages == 1


def run(lab: Lab, *words: str) -> "subprocess.Popen[str]":
    argv = [sys.executable, "-I", "-m", "conda_bootstrap.site", *words]
    argv += ["--site", str(lab.site.path)]
    return subprocess.Popen(argv, stdout=-1, stderr=subprocess.STDOUT, text=True)


def test_four_operators_at_once_publish_one_whole_site(lab: Lab) -> None:
    lab.order()
    file, channel = str(lab.folder / "tiny.yml"), lab.channel.as_uri()
    words = ["build", file, "--channel", channel, "--publish"]
    running = [run(lab, *words) for _ in range(4)]
    said = [process.communicate(timeout=60)[0] for process in running]
    assert [process.returncode for process in running] == [0] * 4, said
    assert sum("tiny: " in one and " built" in one for one in said) == 1
    assert lab.wrong() == []
    assert [*lab.site.path.rglob(".unfinished-*"), *lab.site.path.rglob("*.part")] == []


def test_the_command_lists_and_checks(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    publish_tiny(lab)
    assert main(["list", "--json", "--site", str(lab.site.path)]) == 0
    (one,) = json.loads(capsys.readouterr().out)
    assert (one["name"], one["current"], one["packages"]) == ("tiny", True, 2)
    lab.package().write_bytes(b"damaged")
    assert main(["check", "--site", str(lab.site.path)]) == 1
    assert "tool-1.0-0.conda is damaged" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["build", "nosuch"], 2, "no shipped base"),
        (["build", "nosuch.yml"], 2, "not a file"),
        (["build", "minimal", "--machine", "cuda"], 2, "unclear"),
        (["publish", "nosuch"], 2, "Build it first"),
        (["publish", "../x"], 2, "cannot be the name"),
    ],
)
def test_a_wrong_command_is_answered_with_what_to_do(
    lab: Lab,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
    said: str,
) -> None:
    assert main([*words, "--site", str(lab.site.path)]) == code
    assert said in capsys.readouterr().err


def damage_package(lab: Lab) -> None:
    lab.package().write_bytes(lab.package().read_bytes()[:-1] + b"?")


def damage_lock(lab: Lab) -> None:
    lock = lab.build().folder / "lock"
    lock.write_text(lock.read_text() + "\n")


def garble_lock(lab: Lab) -> None:
    (lab.build().folder / "lock").write_text("garbage: [")


def remove_package(lab: Lab) -> None:
    lab.package().unlink()


def remove_current(lab: Lab) -> None:
    (lab.site.bases / "tiny/current").unlink()


def empty_index(lab: Lab) -> None:
    (lab.site.channel / "noarch/repodata.json").write_text("{}")


def close_a_folder(lab: Lab) -> None:
    lab.site.channel.chmod(0o700)


def break_settings(lab: Lab) -> None:
    lab.site.settings.write_text("[]")


def stop_a_command(lab: Lab) -> None:
    (lab.site.commands / "reset_env.sh").chmod(0o644)


def break_description(lab: Lab) -> None:
    (lab.build().folder / "base.json").write_text('{"lock_sha256": 1}')


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (damage_package, "tool-1.0-0.conda is damaged"),
        (remove_package, "tool-1.0-0.conda is missing"),
        (damage_lock, "lock was changed"),
        (garble_lock, "cannot be read as a lock"),
        (remove_current, "no current lock"),
        (empty_index, "repodata.json cannot be read"),
        (close_a_folder, "channel is closed"),
        (break_settings, "is no table"),
        (stop_a_command, "not executable"),
        (break_description, "of another lock"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_check_finds(lab: Lab, damage: object, said: str) -> None:
    publish_tiny(lab)
    assert callable(damage)
    damage(lab)
    assert any(said in line for line in lab.wrong())


def test_what_check_finds_damaged_a_build_mends(lab: Lab) -> None:
    publish_tiny(lab)
    damage_package(lab)
    publish_tiny(lab)
    assert lab.wrong() == []
