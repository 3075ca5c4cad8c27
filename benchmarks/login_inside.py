"""Logins of ours, of the peer, and bare binds, in turn; runs inside the cluster.

python -m benchmarks.login_inside PEER_PYTHON
"""

import json
import ssl
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import ldap3

from benchmarks.login_client import Codes, Form, Login, Round, run_round, told
from benchmarks.login_peer import WAYS, peer_hub
from benchmarks.login_people import Person, read_people
from benchmarks.usage import process_cpu_ms
from kqi_hub.devstack.directory import CA_FILE, PEOPLE_BASE

PORTS = Path("/opt/kqi-demo/ports.json")
CLIENTS = (1, 8)
ROUNDS = 3
ROUND_S = 4.0
WARM_UP_S = 60.0
# A hub without codes lets the same people in again and again.
FEW = 40
MOST_TURNS = 200


class Hub:
    """A hub, the way to log in to it, and the CPU that it has used."""

    def __init__(self, port: int, pid: int) -> None:
        self._port, self._pid = port, pid
        self.cpu_ms, self.logins = 0.0, 0

    def warm_up(self, people: Sequence[Person]) -> None:
        """Let everybody in once: a first login costs a hub more, a row for each."""
        self._serve(max(CLIENTS), self.known(people), WARM_UP_S)
        self.cpu_ms, self.logins = 0.0, 0

    def round(self, clients: int, people: Sequence[Person]) -> Round:
        return self._serve(clients, self.queue(people), ROUND_S)

    def _serve(self, clients: int, queue: Sequence[Person], for_s: float) -> Round:
        forms = [Form(self._port) for _ in range(clients)]
        before = process_cpu_ms(self._pid)
        done = run_round([self.login(form) for form in forms], queue, for_s)
        self.cpu_ms += process_cpu_ms(self._pid) - before
        self.logins += len(done.logins_ms)
        for form in forms:
            form.close()
        return done

    def known(self, people: Sequence[Person]) -> Sequence[Person]:
        """Return who logs in here: without codes the same few, over and over."""
        return people[:FEW]

    def queue(self, people: Sequence[Person]) -> Sequence[Person]:
        """Return who waits at the door in a round."""
        return [*self.known(people)] * MOST_TURNS

    def login(self, form: Form) -> Login:
        return form.send


class HubWithCodes(Hub):
    """Ours: everybody has a code, and each code counts once."""

    def __init__(self, port: int, pid: int) -> None:
        super().__init__(port, pid)
        self._codes = Codes()

    def known(self, people: Sequence[Person]) -> Sequence[Person]:
        return people

    def queue(self, people: Sequence[Person]) -> Sequence[Person]:
        able = [one for one in people if self._codes.has_one(one)]
        # Who has waited longest goes first, so that codes do not run out.
        return sorted(able, key=lambda one: self._codes.used.get(one.name, 0))

    def login(self, form: Form) -> Login:
        return lambda person: form.send(person, code=self._codes.fresh(person))


class Directory:
    """Bare binds: what a login costs the directory and nobody else."""

    def __init__(self, port: int) -> None:
        tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=str(CA_FILE))
        self._server = ldap3.Server("localhost", port, True, get_info=None, tls=tls)

    def round(self, clients: int, people: Sequence[Person]) -> Round:
        with ExitStack() as stack:
            opened = [stack.enter_context(self._connection()) for _ in range(clients)]
            return run_round([self._bind(one) for one in opened], people, ROUND_S)

    @contextmanager
    def _connection(self) -> Iterator[ldap3.Connection]:
        connection = ldap3.Connection(self._server)
        connection.open()
        yield connection
        connection.unbind()

    def _bind(self, connection: ldap3.Connection) -> Login:
        def bind(person: Person) -> None:
            dn = f"uid={person.name},{PEOPLE_BASE}"
            if not connection.rebind(dn, person.password):
                raise RuntimeError(f"{person.name}: {connection.result}")

        return bind


def pid_of(*words: str) -> int:
    """Return the process whose command line has these words after the interpreter."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            line = (entry / "cmdline").read_bytes().split(b"\0")
            if line[1 : 1 + len(words)] == [word.encode() for word in words]:
                return int(entry.name)
    raise LookupError(f"no process runs {' '.join(words)}")


def measure(
    ways: Mapping[str, Callable[[int, Sequence[Person]], Round]],
    people: Sequence[Person],
) -> dict[str, Any]:
    """Let every way do each round before the next round, so that all have the same."""
    figures: dict[str, Any] = {}
    for clients in CLIENTS:
        rounds: dict[str, list[Round]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                rounds[name].append(way(clients, people))
        for name, found in rounds.items():
            figures[f"{name}, {clients} at once"] = told(found)
    return figures


def main(python: str) -> None:
    people, ports = read_people(), json.loads(PORTS.read_text())
    ours = HubWithCodes(ports["proxy"], pid_of("-m", "jupyterhub"))
    hubs: dict[str, Hub] = {"ours": ours}
    with ExitStack() as stack:
        for way in WAYS:
            started = peer_hub(way, Path(python), ports["ldaps"])
            hubs[f"peer, {way}"] = Hub(*stack.enter_context(started))
        for hub in hubs.values():
            hub.warm_up(people)
        ways = {name: hub.round for name, hub in hubs.items()}
        floor = Directory(ports["ldaps"])
        figures = measure({**ways, "bare bind": floor.round}, people)
    for name, hub in hubs.items():
        figures[f"{name}, hub's CPU"] = {
            "ms_a_login": round(hub.cpu_ms / hub.logins, 1)
        }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])
