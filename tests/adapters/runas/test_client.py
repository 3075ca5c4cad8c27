"""The client: what it sends, what it makes of answers, and of none."""

import asyncio
import json
import os
import stat
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kqi_hub.domain.errors import DoorBroken, DoorError, DoorRefused, DoorUnreachable
from kqi_hub.domain.ports import Door, DoorAnswer
from kqi_hub.runas.client import SocketDoor, SudoDoor
from tests.adapters.runas.house import SUBMIT, House, open_descriptors, wait_until

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
ANSWER = {
    "ok": True, "exit_code": 0, "stdout": "12\n", "stderr": "", "timed_out": False,
    "truncated": False,
}  # fmt: skip


@asynccontextmanager
async def fake_helper(path: Path, talk: Talk) -> AsyncIterator[None]:
    """Listen like a helper and misbehave like `talk`: the real one never does."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            return
        finally:
            writer.close()

    server = await asyncio.start_unix_server(serve, path, limit=4_000_000)
    try:
        yield
    finally:
        server.close()
        await asyncio.sleep(0.05)


def saying(raw: bytes) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(raw)
        await writer.drain()

    return talk


def fake_sudo(folder: Path, text: str) -> tuple[str, ...]:
    """Return the command line of a shell script that stands for sudo."""
    path = folder / "sudo"
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return (str(path), "-n", "/usr/sbin/kqi-runas")


async def test_a_call_reaches_the_real_helper_and_comes_back(house: House) -> None:
    door: Door = SocketDoor(house.door)
    answer = await door.run("submit", "alice", SUBMIT)
    assert json.loads(answer.stdout)["argv"][0].endswith("/sbatch")
    assert (answer.exit_code, answer.timed_out, answer.truncated) == (0, False, False)


async def test_a_refusal_of_the_real_helper_keeps_its_words(house: House) -> None:
    with pytest.raises(DoorRefused, match="root is a system user"):
        await SocketDoor(house.door).run("submit", "root", SUBMIT)


async def test_half_a_character_is_left_for_the_helper_to_refuse(house: House) -> None:
    with pytest.raises(DoorRefused, match="not one line of UTF-8 JSON"):
        await SocketDoor(house.door).run("submit", "alice", SUBMIT | {"name": "\ud800"})


async def test_a_hundred_calls_at_once_come_back_each_to_its_own(house: House) -> None:
    door = SocketDoor(house.door)
    calls = [
        door.run("submit", "alice", SUBMIT | {"name": f"n{n}"}) for n in range(100)
    ]
    answers = await asyncio.gather(*calls)
    names = [json.loads(answer.stdout)["argv"][4] for answer in answers]
    assert names == [f"--job-name=n{number}" for number in range(100)]


async def test_the_loop_goes_on_while_a_call_runs(house: House) -> None:
    pauses = []

    async def tick() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.01)
            pauses.append(time.perf_counter() - before - 0.01)

    ticking = asyncio.create_task(tick())
    script = "#!/bin/sh\n# fake: pause\n"
    await SocketDoor(house.door).run("submit", "alice", SUBMIT | {"script": script})
    ticking.cancel()
    assert len(pauses) > 50
    assert sorted(pauses)[len(pauses) // 2] < 0.01


async def test_a_request_that_is_too_long_is_never_sent(tmp_path: Path) -> None:
    with pytest.raises(DoorRefused, match="2097152"):
        await SocketDoor(tmp_path / "none").run(
            "submit", "alice", {"script": "x" * 2_100_000}
        )


async def test_a_socket_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(DoorUnreachable, match="No such file"):
        await SocketDoor(tmp_path / "none").run("ping", "", {})


async def test_a_socket_that_nobody_listens_on_is_unreachable(own_house: House) -> None:
    assert own_house.helper is not None
    own_house.helper.kill()
    own_house.helper.wait()
    with pytest.raises(DoorUnreachable, match="refused"):
        await SocketDoor(own_house.door).run("ping", "", {})


async def test_a_helper_too_busy_to_be_reached_is_unreachable(tmp_path: Path) -> None:
    path = tmp_path / "door"
    command = (
        "import socket, sys, time; s = socket.socket(socket.AF_UNIX);"
        "s.bind(sys.argv[1]); s.listen(0); print('', flush=True); time.sleep(60)"
    )
    never = await asyncio.create_subprocess_exec(
        "/usr/bin/python3", "-c", command, str(path), stdout=asyncio.subprocess.PIPE
    )
    assert never.stdout is not None
    await never.stdout.readline()
    door = SocketDoor(path, timeout_s=0.5)
    try:
        results = await asyncio.gather(
            *(door.run("ping", "", {}) for _ in range(4)), return_exceptions=True
        )
    finally:
        never.kill()
        await never.wait()
    kinds = [type(result) for result in results]
    assert kinds.count(DoorBroken) == 1  # the one that the kernel's queue took
    assert kinds.count(DoorUnreachable) == 3
    assert any("busy for 0.5 s" in str(result) for result in results)


@pytest.mark.parametrize(
    ("raw", "kind", "words"),
    [
        (b"", DoorBroken, "cut off before its answer"),
        (json.dumps(ANSWER).encode(), DoorBroken, "cut off before its answer"),
        (b"\n", DoorBroken, "no answer"),
        (b"{}\n", DoorBroken, "no answer"),
        (b"[]\n", DoorBroken, "no answer"),
        (b"null\n", DoorBroken, "no answer"),
        (b"\xff\n", DoorBroken, "no answer"),
        (b'{"ok": true}\n', DoorBroken, "no answer"),
        (b'{"ok": 1, "message": "m"}\n', DoorRefused, "refused: m"),
        (
            json.dumps(ANSWER | {"exit_code": "0"}).encode() + b"\n",
            DoorBroken,
            "no answer",
        ),
        (
            json.dumps(ANSWER | {"exit_code": True}).encode() + b"\n",
            DoorBroken,
            "no answer",
        ),
        (
            json.dumps(ANSWER | {"stdout": None}).encode() + b"\n",
            DoorBroken,
            "no answer",
        ),
        (
            b'{"ok": false, "error": "refused", "message": "no"}\n',
            DoorRefused,
            "refused: no",
        ),
        (b'{"ok": false}\n', DoorBroken, "no answer"),
        (b"x" * 17_000_000, DoorBroken, "without end"),
    ],
    ids=lambda value: repr(value)[:30],
)
async def test_what_a_helper_says_becomes_an_error(
    tmp_path: Path, raw: bytes, kind: type[DoorError], words: str
) -> None:
    async with fake_helper(tmp_path / "door", saying(raw)):
        with pytest.raises(kind, match=words) as caught:
            await SocketDoor(tmp_path / "door").run("submit", "alice", SUBMIT)
    assert caught.value.hint


async def test_an_answer_of_megabytes_is_read(tmp_path: Path) -> None:
    said = "\x01" * 2_000_000
    raw = json.dumps(ANSWER | {"stdout": said}).encode() + b"\n"
    async with fake_helper(tmp_path / "door", saying(raw)):
        answer = await SocketDoor(tmp_path / "door").run("submit", "alice", SUBMIT)
    assert answer == DoorAnswer(0, said, "")


async def test_a_refusal_before_the_whole_request_was_read_is_heard(
    tmp_path: Path,
) -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'{"ok": false, "error": "refused", "message": "too much"}\n')
        await writer.drain()

    script = "#!/bin/sh\n" + "x" * 1_500_000
    async with fake_helper(tmp_path / "door", talk):
        with pytest.raises(DoorRefused, match="too much"):
            await SocketDoor(tmp_path / "door").run(
                "submit", "alice", SUBMIT | {"script": script}
            )


async def test_a_connection_cut_while_sending_means_nothing_happened(
    tmp_path: Path,
) -> None:
    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read(10)

    script = "#!/bin/sh\n" + "x" * 1_500_000
    async with fake_helper(tmp_path / "door", talk):
        with pytest.raises(DoorUnreachable):
            await SocketDoor(tmp_path / "door").run(
                "submit", "alice", SUBMIT | {"script": script}
            )


async def test_a_helper_that_never_answers_may_have_done_it(tmp_path: Path) -> None:
    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.readline()
        await asyncio.sleep(3)

    async with fake_helper(tmp_path / "door", talk):
        with pytest.raises(DoorBroken, match=r"within 0.2 s .submit for alice."):
            await SocketDoor(tmp_path / "door", 0.2).run("submit", "alice", SUBMIT)


async def test_a_killed_call_may_have_done_it(own_house: House) -> None:
    script = "#!/bin/sh\n# fake: linger\n"
    call = asyncio.create_task(
        SocketDoor(own_house.door).run("submit", "alice", SUBMIT | {"script": script})
    )
    await asyncio.to_thread(wait_until, lambda: bool(own_house.children()))
    await asyncio.sleep(0.2)
    os.kill(own_house.children()[0], 9)
    with pytest.raises(DoorBroken, match="cut off"):
        await call


async def test_a_cancelled_call_leaves_nothing_open(own_house: House) -> None:
    own_house.configure(time_limit_s=1)
    own_house.stop()
    own_house.start()
    before = open_descriptors()
    script = "#!/bin/sh\n# fake: linger\n"
    calls = [
        asyncio.create_task(
            SocketDoor(own_house.door).run(
                "submit", "alice", SUBMIT | {"script": script}
            )
        )
        for _ in range(10)
    ]
    await asyncio.sleep(0.3)
    for call in calls:
        call.cancel()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)
    assert open_descriptors() == before
    await asyncio.to_thread(wait_until, lambda: not own_house.children())


async def test_sudo_runs_the_helper_for_a_call(empty_house: House) -> None:
    (empty_house.base / "sudo").write_text(
        '#!/bin/sh\nexport SUDO_UID=990\nexec "$@"\n'
    )
    (empty_house.base / "sudo").chmod(0o755)
    door: Door = SudoDoor(
        [str(empty_house.base / "sudo"), *empty_house.command("once")]
    )
    answer = await door.run("submit", "alice", SUBMIT)
    assert json.loads(answer.stdout)["uids"] == [20001] * 3
    with pytest.raises(DoorRefused, match="system user"):
        await door.run("submit", "root", SUBMIT)


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        (
            "echo 'sudo: a password is required' >&2; exit 1",
            DoorUnreachable,
            "a password",
        ),
        ("exit 1", DoorUnreachable, "exit code 1"),
        ("echo python3: no such file >&2; exit 2", DoorUnreachable, "no such file"),
        (
            "cat >/dev/null; echo kqi-runas: bad config >&2; exit 78",
            DoorUnreachable,
            "bad",
        ),
        ("read line; exit 70", DoorBroken, "cut off"),
        ("read line; kill -9 $$", DoorBroken, "cut off"),
        ("read line; echo junk", DoorBroken, "no answer"),
        (
            'read line; echo \'{"ok": false, "message": "no"}\'; exit 1',
            DoorRefused,
            "no",
        ),
        ("read line; yes | head -c 17000000", DoorBroken, "without end"),
        ("read line; yes error | head -c 50000000 >&2; exit 70", DoorBroken, "cut off"),
    ],
)
async def test_what_sudo_and_the_helper_end_with_becomes_an_error(
    tmp_path: Path, text: str, kind: type[DoorError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        await SudoDoor(fake_sudo(tmp_path, text)).run("submit", "alice", SUBMIT)


async def test_a_sudo_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(DoorUnreachable, match="No such file"):
        await SudoDoor([str(tmp_path / "sudo")]).run("ping", "", {})


async def test_sudo_is_run_without_our_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "of the hub")
    command = fake_sudo(tmp_path, f"read line; env >{tmp_path}/seen; exit 70")
    with pytest.raises(DoorBroken):
        await SudoDoor(command).run("ping", "", {})
    names = {
        text.partition("=")[0] for text in (tmp_path / "seen").read_text().splitlines()
    }
    assert names <= {"LC_ALL", "PATH", "PWD", "SHLVL", "_", "OLDPWD"}


@pytest.mark.parametrize("ending", ["late", "cancelled"])
async def test_a_call_through_sudo_that_is_given_up_ends_by_itself(
    tmp_path: Path, ending: str
) -> None:
    done = tmp_path / "done"
    command = fake_sudo(
        tmp_path, f"read line; sleep 0.6; head -c 300000 /dev/zero; touch {done}"
    )
    door = SudoDoor(command, timeout_s=0.2 if ending == "late" else 60)
    call = asyncio.create_task(door.run("submit", "alice", SUBMIT))
    await asyncio.sleep(0.2)
    if ending == "cancelled":
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    else:
        with pytest.raises(DoorBroken, match=r"within 0.2 s"):
            await call
    assert not done.exists()
    await asyncio.to_thread(wait_until, done.exists)
    await asyncio.sleep(0.1)
    assert len(asyncio.all_tasks()) == 1
