"""Files through the hub's proxy: real people, real uids, a hub and a portal that go."""

import asyncio
import hashlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from kqi_hub.runas.client import SudoDoor
from kqi_hub.sdk.agent_calls import AgentRefused
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.errors import Refused
from kqi_hub.sdk.local_files import Counted
from tests.cluster.agent_lab import AgentLab, agent_lab
from tests.cluster.slurm_lab import DOOR
from tests.cluster.stack import Stack, run_as, wait_until

MIB = 1024 * 1024
WORK = "workspace/files-test"


@pytest.fixture
def lab(stack: Stack) -> Iterator[AgentLab]:
    with agent_lab(stack, "alice") as lab:
        for person in ("alice", "bob"):
            asyncio.run(SudoDoor(DOOR).run("make-scratch", person, {}))
        shell("alice", f"rm -rf {WORK}; mkdir -p {WORK}")
        yield lab
        shell("alice", f"rm -rf {WORK}")


@pytest.fixture
def kqi(lab: AgentLab) -> Iterator[Client]:
    """Return what alice's own program has: the portal, and through it the agent."""
    token = lab.people.log_in("alice").body["token"]
    with Client(lab.people.url, token) as client:
        client.file_roots()
        yield client


def shell(person: str, script: str) -> str:
    """Run a line of shell in a person's folder on scratch."""
    ran = run_as(person, "bash", "-c", f"cd /scratch/{person} && {script}")
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def random_file(path: Path, size: int) -> str:
    content = os.urandom(size)
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def hash_of(path: str) -> str:
    return shell("alice", f"sha256sum {path}").split()[0]


def refusal(kqi: Client, path: str, root: str = "scratch") -> str:
    """Return why a file is not shown, or that it is."""
    try:
        b"".join(kqi.read_file(path, root))
    except AgentRefused as refused:
        return refused.code
    return "read"


def test_what_one_may_read_is_what_the_kernel_says(lab: AgentLab, kqi: Client) -> None:
    """Files of bob and of root's, met through links, by alice's own uid."""
    shell("bob", "mkdir -p files-test && chmod 755 . files-test")
    shell(
        "bob",
        "cd files-test && rm -rf * && echo open > open && chmod 644 open"
        " && echo closed > closed && chmod 600 closed"
        " && mkdir private && echo x > private/x && chmod 700 private"
        " && mkfifo fifo && chmod 666 fifo && ln -s /etc/shadow shadow",
    )
    shell("alice", f"ln -s /scratch/bob/files-test {WORK}/bob")
    shell("alice", f"ln -s /etc/shadow {WORK}/shadow; ln -s / {WORK}/top")
    expected = {
        "bob/open": "read", "bob/closed": "not-permitted",
        "bob/private/x": "not-permitted", "bob/fifo": "not-regular",
        "bob/shadow": "outside", "shadow": "outside", "top/etc/passwd": "outside",
        "top/scratch/bob/files-test/open": "read",
    }  # fmt: skip
    found = {path: refusal(kqi, f"{WORK}/{path}") for path in expected}
    assert found == expected
    names = {one.name: one.kind for one in kqi.files(f"{WORK}/bob")}
    assert names["fifo"] == "other"
    shell("bob", "chmod 777 files-test")
    with pytest.raises(AgentRefused, match="leads out"):
        kqi.write_file_text(f"{WORK}/bob/new", "x", None)
    work = kqi.delete_files([f"{WORK}/bob/open"])
    assert (work.done, work.misses[0]["error"]) == (0, "outside")
    kqi.delete_files([f"{WORK}/bob"])
    assert shell("bob", "cat files-test/open") == "open\n"
    shell("bob", "rm -r files-test")


def test_nobody_else_sees_or_changes_anything(lab: AgentLab, kqi: Client) -> None:
    shell("alice", f"echo mine > {WORK}/mine")
    address = f"{lab.url}api/files/content?path={WORK}/mine"
    for person in ("bob", "carol"):
        token = lab.people.log_in(person).body["token"]
        headers = {"Authorization": f"Bearer {token}"}
        for method in ("GET", "PUT"):
            answer = httpx2.request(
                method, f"{address}&size=1&exists=overwrite", headers=headers,
                content=b"x" if method == "PUT" else None,
            )  # fmt: skip
            assert answer.status_code == 403
    assert hash_of(f"{WORK}/mine") == hashlib.sha256(b"mine\n").hexdigest()


def test_files_that_arrive_are_the_persons_and_as_open_as_their_folder(
    lab: AgentLab, kqi: Client, tmp_path: Path
) -> None:
    wanted = random_file(tmp_path / "sent", 3 * MIB)
    shell("alice", f"mkdir -m 750 {WORK}/group")
    kqi.put_file(tmp_path / "sent", f"{WORK}/group/sent")
    kqi.make_folder(f"{WORK}/group/below")
    assert hash_of(f"{WORK}/group/sent") == wanted
    told = shell("alice", f"stat -c '%U %a' {WORK}/group/sent {WORK}/group/below")
    assert told.splitlines() == ["alice 640", "alice 750"]


@pytest.mark.parametrize("what", ["hub", "portal", "proxy", "agent"])
def test_an_upload_goes_on_whatever_is_killed(
    stack: Stack, lab: AgentLab, kqi: Client, tmp_path: Path, what: str
) -> None:
    wanted = random_file(tmp_path / "large", 48 * MIB)
    sent, killed = 0, threading.Event()

    def heard(count: int) -> None:
        nonlocal sent
        sent += count
        if sent > 16 * MIB and not killed.is_set():
            killed.set()
            if what == "agent":
                os.kill(lab.health(lab.token())["pid"], signal.SIGKILL)
            else:
                stack.kill(what)

    kqi.put_file(tmp_path / "large", f"{WORK}/large", sent=heard)
    assert killed.is_set()
    assert hash_of(f"{WORK}/large") == wanted
    assert shell("alice", f"ls -A {WORK}") == "large\n"


def test_a_full_disk_is_said_and_what_has_come_stays(
    lab: AgentLab, kqi: Client, tmp_path: Path
) -> None:
    """On a small file system, which somebody else fills meanwhile."""
    wanted = random_file(tmp_path / "large", 8 * MIB)
    place = Path("/scratch/alice", WORK, "small")
    shell("alice", f"mkdir {WORK}/small")
    owner = place.stat()
    size = f"size=10m,uid={owner.st_uid},gid={owner.st_gid},mode=700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", place], check=True)
    filled = threading.Event()

    def heard(count: int) -> None:
        if not filled.is_set():
            filled.set()
            shell("alice", f"head -c 8M /dev/zero > {WORK}/small/other")

    try:
        with pytest.raises(AgentRefused) as refused:
            kqi.put_file(tmp_path / "large", f"{WORK}/small/large", sent=heard)
        assert refused.value.code == "disk-full"
        assert not (place / "large").exists()
        (part,) = place.glob(".large*")
        kept = part.stat().st_size
        (place / "other").unlink()
        sent: list[int] = []
        kqi.put_file(tmp_path / "large", f"{WORK}/small/large", sent=sent.append)
        assert hash_of(f"{WORK}/small/large") == wanted
        assert (sum(sent), kept > 0) == (8 * MIB, True)
    finally:
        subprocess.run(["umount", place], check=True)


def test_several_programs_share_one_agent(
    lab: AgentLab, kqi: Client, tmp_path: Path
) -> None:
    hashes = {}
    for name in ("a", "b", "c"):
        hashes[name] = random_file(tmp_path / name, 8 * MIB)
    threads = [
        threading.Thread(target=kqi.put_file, args=(tmp_path / name, f"{WORK}/{name}"))
        for name in hashes
    ]
    for one in threads:
        one.start()
    assert lab.health(lab.token())["person"] == "alice"
    for one in threads:
        one.join()
    assert {name: hash_of(f"{WORK}/{name}") for name in hashes} == hashes
    assert lab.health(lab.token())["memory_mb"] < 60


def test_whoever_leaves_through_the_proxy_ends_the_work(
    lab: AgentLab, kqi: Client
) -> None:
    shell("alice", f"mkdir {WORK}/many && cd {WORK}/many && seq 30000 | xargs touch")
    shell("alice", f"head -c 300M /dev/zero > {WORK}/zeros")
    token = lab.token()
    pid = lab.health(token)["pid"]
    headers = {"Authorization": f"Bearer {token}"}
    address = f"{lab.url}api/files/archive?path={WORK}&format=tar"
    with httpx2.stream("GET", address, headers=headers, timeout=30) as answer:
        next(answer.iter_bytes())
    wait_until(lambda: is_quiet(pid), 10)


def is_quiet(pid: int) -> bool:
    """Tell whether a process does next to nothing for a second."""
    before = ticks(pid)
    time.sleep(1)
    return ticks(pid) - before < 10


def ticks(pid: int) -> int:
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(stat[11]) + int(stat[12])


def test_files_on_scratch_become_data_without_being_sent(
    lab: AgentLab, kqi: Client
) -> None:
    shell(
        "alice",
        f"mkdir -p {WORK}/set/sub && cd {WORK}/set && seq 5 | xargs -I% touch empty-%"
        " && echo one > one && head -c 5M /dev/urandom > sub/large && mkfifo fifo"
        " && ln -s /etc/passwd link",
    )
    size = 4 + 5 * MIB
    upload = kqi.begin_data(
        "vision", "from scratch", Counted(7, size), origin="scratch"
    )
    work = kqi.offer_files([f"{WORK}/set"], upload.ticket, base=WORK)
    assert (work.state, work.done, work.missed) == ("done", 7, 2)
    assert {one["error"] for one in work.misses} == {"not-regular", "outside"}
    made = kqi.finish_upload(upload.key)
    assert (made.files, made.bytes) == (7, size)
    path = f"{made.id}/set/sub/large"
    published = hashlib.sha256(b"".join(kqi.read_file(path, "data:vision")))
    assert published.hexdigest() == hash_of(f"{WORK}/set/sub/large")
    roots = {one.root: one.may_change for one in kqi.file_roots()}
    assert roots["data:vision"] is False
    work = kqi.delete_files([path], "data:vision")
    assert work.misses[0]["error"] == "read-only"
    kqi.delete_data(made.id)


def test_a_store_of_another_tenant_is_not_shown(lab: AgentLab, kqi: Client) -> None:
    """Bob is no member of every tenant of alice's; the kernel says so, not we."""
    token = lab.people.log_in("bob").body["token"]
    with Client(lab.people.url, token) as bobs:
        roots = {one.root for one in bobs.file_roots()}
        alices = {one.root for one in kqi.file_roots()}
        for root in alices - roots - {"scratch"}:
            with pytest.raises(Refused) as refused:
                list(bobs.files("", root))
            assert refused.value.code == "not-permitted"
        assert alices - roots
