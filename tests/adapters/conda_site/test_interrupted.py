"""Readers while it is published, and processes that are killed while they write."""

import json
import subprocess
import sys
import threading
import time

from conda_bootstrap.site.lock import hash_of
from conda_bootstrap.site.publishing import Offer, publish
from tests.adapters.conda_site.conftest import Lab
from tests.adapters.conda_site.wheels import make_channel, tiny_package

MOMENTS = 8


def test_a_reader_sees_one_edition_or_the_other_and_never_a_half(lab: Lab) -> None:
    locks = [lab.build().folder.name]
    make_channel(lab.channel, tiny_package("part", "2.0"))
    locks.append(lab.build().folder.name)
    publish(lab.site, ("tiny",), Offer(), lab.heard)
    ended = threading.Event()

    def swap() -> None:
        for turn in range(60):
            offer = Offer(versions={"tiny": locks[turn % 2]})
            publish(lab.site, ("tiny",), offer, lab.heard)
        ended.set()

    publisher = threading.Thread(target=swap)
    publisher.start()
    seen = set()
    while not ended.is_set():
        folder = lab.site.current("tiny")
        assert folder is not None
        described = json.loads((folder / "base.json").read_text())
        assert described["lock_sha256"] == hash_of(folder / "lock")
        assert json.loads(lab.site.settings.read_text())["bases"] == ["tiny"]
        seen.add(folder.name)
    publisher.join()
    assert seen == set(locks)


def test_killed_at_any_moment_it_leaves_a_whole_site_and_finishes_the_next_time(
    lab: Lab,
) -> None:
    lab.build()
    publish(lab.site, ("tiny",), Offer(), lab.heard)
    argv = [sys.executable, "-I", "-m", "conda_bootstrap.site", "build"]
    argv += [str(lab.folder / "tiny.yml"), "--channel", lab.channel.as_uri()]
    argv += ["--site", str(lab.site.path), "--publish"]
    began = time.monotonic()
    subprocess.run(argv, check=True, capture_output=True)
    whole_s = time.monotonic() - began
    for moment in range(MOMENTS):
        make_channel(lab.channel, tiny_package("part", f"{moment + 2}.0"))
        process = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
        # Python's own start takes the first half; nothing can be broken in that.
        time.sleep(whole_s * (0.5 + moment / MOMENTS / 2))
        process.kill()
        process.wait()
        assert lab.wrong() == []
    subprocess.run(argv, check=True, capture_output=True)
    assert lab.wrong() == []
    current = lab.site.current("tiny")
    assert current is not None
    assert f"part-{MOMENTS + 1}.0-0.conda" in (current / "explicit.txt").read_text()
