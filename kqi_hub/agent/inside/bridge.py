"""The agent's end in a job: `python -I -m kqi_hub.agent.inside.bridge WORD`.

It runs on the job's node as the person, a step of the person's own job, and connects to
what the person's programs listen on there: a port whose every listener is the person's,
or a socket in a folder. Standard library only. It ends with its standard input.
"""

import asyncio
import json
import os
import sys
from contextlib import suppress
from typing import Final

from kqi_hub.agent.inside.channels import Channel, Channels
from kqi_hub.agent.inside.frames import Frame, Kind
from kqi_hub.agent.inside.listeners import listeners

_USAGE: Final = 64
_CONNECT_S: Final = 10.0
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class NoWay(Exception):
    """It cannot be connected to; the message is for people."""


async def connect(target: bytes) -> Streams:
    """Connect to what a target names: `{"port": 8080}` or `{"socket": "/…"}`."""
    try:
        said = json.loads(target)
        if "socket" in said:
            return await asyncio.open_unix_connection(str(said["socket"]))
        port = int(said["port"])
        address = _own(port)
        streams = await asyncio.open_connection(address, port)
    except (ValueError, KeyError, TypeError) as error:
        raise NoWay("This is no place to connect to.") from error
    except OSError as error:
        raise NoWay(f"It does not take the connection: {error.strerror}.") from error
    if _is_own(port):
        return streams
    streams[1].close()
    raise NoWay(f"The program on port {port} of the node is not yours.")


def _own(port: int) -> str:
    found = listeners(port)
    if not found:
        raise NoWay(f"Nothing listens on port {port} of the node (yet).")
    if not _is_own(port):
        raise NoWay(f"The program on port {port} of the node is not yours.")
    return found[0].address


def _is_own(port: int) -> bool:
    """Tell whether whoever listens there is this user; nobody is not."""
    return {one.uid for one in listeners(port)} == {os.geteuid()}


class Bridge:
    """Opens what the agent asks for."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels
        self._going: set[asyncio.Task[None]] = set()

    def welcome(self, frame: Frame) -> None:
        """Begin a channel."""
        channel = self._channels.known(frame.channel)
        task = asyncio.get_running_loop().create_task(self._serve(channel, frame.body))
        self._going.add(task)
        task.add_done_callback(self._going.discard)

    async def _serve(self, channel: Channel, target: bytes) -> None:
        with suppress(OSError):
            try:
                async with asyncio.timeout(_CONNECT_S):
                    reader, writer = await connect(target)
            except (NoWay, TimeoutError) as error:
                said = str(error) or "It does not answer."
                await self._refuse(channel, said)
            else:
                await self._channels.send(Frame(channel.number, Kind.OPENED))
                await channel.relay(reader, writer)
        self._channels.forget(channel)

    async def _refuse(self, channel: Channel, said: str) -> None:
        body = said.encode(errors="replace")[:1000]
        await self._channels.send(Frame(channel.number, Kind.REFUSED, body))


async def _serve(word: str) -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1024 * 1024)
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    transport, protocol = await loop.connect_write_pipe(
        asyncio.streams.FlowControlMixin, sys.stdout
    )
    writer = asyncio.StreamWriter(transport, protocol, reader, loop)
    # What a prolog may have printed before ends here.
    writer.write(f"\nkqi-bridge {word}\n".encode())
    channels = Channels(reader, writer)
    await channels.run(Bridge(channels).welcome)


def main(arguments: list[str]) -> int:
    """Serve until the agent is gone."""
    if len(arguments) != 1:
        sys.stderr.write("How to run it: bridge WORD\n")
        return _USAGE
    with suppress(ConnectionError, KeyboardInterrupt):
        asyncio.run(_serve(arguments[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
