"""Ports are free, kept, and nobody else's."""

import json
import socket
from contextlib import ExitStack
from pathlib import Path

from kqi_hub.devstack.ports import keep_ports

NAMES = ("slurmctld", "slapd")


def test_ports_of_the_last_time_are_kept(tmp_path: Path) -> None:
    chosen = []
    for _ in range(2):
        with ExitStack() as reserved:
            chosen.append(keep_ports(tmp_path / "ports.json", NAMES, reserved))
    assert chosen[0] == chosen[1] == json.loads((tmp_path / "ports.json").read_text())


def test_a_port_that_somebody_took_is_chosen_anew(tmp_path: Path) -> None:
    with ExitStack() as reserved:
        before = keep_ports(tmp_path / "ports.json", NAMES, reserved)
    with socket.socket() as taken, ExitStack() as reserved:
        taken.bind(("127.0.0.1", before["slapd"]))
        taken.listen()
        after = keep_ports(tmp_path / "ports.json", NAMES, reserved)
    assert after["slurmctld"] == before["slurmctld"]
    assert after["slapd"] != before["slapd"]


def test_a_service_listens_on_its_port_while_nobody_else_may_choose_it(
    tmp_path: Path,
) -> None:
    with ExitStack() as reserved, socket.socket() as service, socket.socket() as other:
        ports = keep_ports(tmp_path / "ports.json", NAMES, reserved)
        try:
            other.bind(("127.0.0.1", ports["slapd"]))
        except OSError:
            refused = True
        else:
            refused = False
        service.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        service.bind(("127.0.0.1", ports["slapd"]))
        service.listen()
        with socket.create_connection(("127.0.0.1", ports["slapd"]), timeout=2):
            pass
    assert refused


def test_a_new_name_gets_a_port_beside_the_kept_ones(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text("{}")
    with ExitStack() as reserved:
        first = keep_ports(tmp_path / "ports.json", NAMES, reserved)
    with ExitStack() as reserved:
        second = keep_ports(tmp_path / "ports.json", (*NAMES, "hub"), reserved)
    assert second.items() > first.items()
