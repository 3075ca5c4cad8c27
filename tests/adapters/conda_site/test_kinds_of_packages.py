"""What real channels have: GPU builds, epochs, old formats, corrected dependencies."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from rattler import MatchSpec

from conda_bootstrap.site.command import SHIPPED, main, shipped
from conda_bootstrap.site.environment_file import read_environment_file
from conda_bootstrap.site.lock import read_lock
from conda_bootstrap.site.publishing import Offer, publish
from kqi_hub.devstack.channel.package import Package
from tests.adapters.conda_site.conftest import Lab
from tests.adapters.conda_site.wheels import (
    make_channel,
    tiny_package,
    write_old_format,
)

GPU = {"pytorch": "2.7.1", "tensorflow": "2.19.0"}
PINNED = {**GPU, "python": "3.11.9", "cuda-version": "12.6"}


def stand_ins(base: str) -> list[Package]:
    """Return an empty package for each that a base names; GPU ones as CPU build too."""
    packages = []
    for spec in read_environment_file(SHIPPED / f"{base}.yml").specs:
        name = str(MatchSpec(spec).name).split('"')[1]
        package = replace(tiny_package(name, PINNED.get(name, "1.0")), entries=())
        if name in GPU:
            packages.append(replace(package, build="cpu_py311_h0_100"))
            gpu = replace(package, build="cuda126_py311_h0_200", depends=("__cuda",))
            packages.append(gpu)
        else:
            packages.append(package)
    return packages


@pytest.mark.parametrize("base", shipped())
def test_a_shipped_base_is_solved_on_a_machine_without_a_gpu(
    lab: Lab, base: str
) -> None:
    channel = make_channel(lab.folder / base, *stand_ins(base))
    words = ["build", base, "--site", str(lab.site.path), "--channel", channel]
    assert main([*words, "--publish"]) == 0
    current = lab.site.current(base)
    assert current is not None
    builds = {one.name.source: str(one.build) for one in read_lock(current / "lock")}
    for name in GPU.keys() & builds.keys():
        assert builds[name].startswith("cuda126")
    assert set(GPU) & set(builds) == {base} & set(GPU)


def test_epochs_and_old_formats_go_through_all_of_it(lab: Lab) -> None:
    write_old_format(tiny_package("old"), lab.channel)
    make_channel(lab.channel, tiny_package("part", "1!2.0", depends=("old",)))
    built = lab.build()
    publish(lab.site, ("tiny",), Offer(), lab.heard)
    assert built.packages == 3
    assert (lab.site.channel / "linux-64/part-1!2.0-0.conda").is_file()
    index = json.loads((lab.site.channel / "linux-64/repodata.json").read_text())
    assert list(index["packages"]) == ["old-1.0-0.tar.bz2"]
    assert lab.wrong() == []
    # People solve in the site's own channel as well.
    again = lab.build(name="again", channels=(lab.site.channel.as_uri(),))
    assert again.packages == 3


def test_dependencies_that_the_channel_corrected_stay_corrected(lab: Lab) -> None:
    index = lab.channel / "linux-64/repodata.json"
    value = json.loads(index.read_text())
    value["packages.conda"]["tool-1.0-0.conda"]["depends"] = ["part >=1,<9"]
    index.write_text(json.dumps(value))
    lab.build()
    ours = json.loads((lab.site.channel / "linux-64/repodata.json").read_text())
    depends = ours["packages.conda"]["tool-1.0-0.conda"]["depends"]
    assert depends == ["part >=1,<9"]


def test_people_may_meet_it_elsewhere_than_it_was_built(lab: Lab) -> None:
    lab.order()
    words = ["build", str(lab.folder / "tiny.yml"), "--site", str(lab.site.path)]
    words += ["--channel", lab.channel.as_uri(), "--publish"]
    words += ["--seen-at", "/opt/kqi environments", "--python", "/apps/python"]
    assert main(words) == 0
    current = lab.site.current("tiny")
    assert current is not None
    for text in (current / "lock", current / "explicit.txt", lab.site.settings):
        assert str(lab.folder) not in text.read_text(), text
        assert "file:///opt/kqi%20environments/channel" in text.read_text()
    command = (lab.site.commands / "reset_env.sh").read_text()
    assert "site='/opt/kqi environments'\npython" not in command
    assert "site='/opt/kqi environments'\n" in command
    assert "python=/apps/python\n" in command
    assert lab.wrong() == []


def test_packages_may_come_by_http_while_the_rest_is_shared(lab: Lab) -> None:
    lab.order()
    words = ["build", str(lab.folder / "tiny.yml"), "--site", str(lab.site.path)]
    words += ["--channel", lab.channel.as_uri(), "--publish"]
    assert main([*words, "--channel-url", "https://mirror.example/channel/"]) == 0
    current = lab.site.current("tiny")
    assert current is not None
    urls = [record.url for record in read_lock(current / "lock")]
    assert urls[0] == "https://mirror.example/channel/linux-64/part-1.0-0.conda"
    settings = json.loads(lab.site.settings.read_text())
    assert settings["channels"] == ["https://mirror.example/channel"]


def test_a_site_is_the_same_wherever_it_is_called_from(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.order()
    monkeypatch.chdir(lab.folder)
    words = ["build", "tiny.yml", "--site", "site", "--publish"]
    assert main([*words, "--channel", lab.channel.as_uri()]) == 0
    settings = json.loads(lab.site.settings.read_text())
    assert settings["channels"] == [lab.site.channel.as_uri()]
    assert Path(lab.site.path).is_absolute()
