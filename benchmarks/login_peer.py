"""JupyterHub with jupyterhub-ldapauthenticator, on the same directory as ours."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hub_config.proxy import NODE, PROGRAM
from kqi_hub.devstack.directory import (
    CA_FILE,
    GROUPS_BASE,
    PEOPLE_BASE,
    SERVICE_DN,
    SERVICE_PASSWORD_FILE,
)

PEER = "ldapauthenticator"
REQUIREMENTS = ("jupyterhub-ldapauthenticator==2.0.2", "jupyterhub==6.1.1")
USER = "kqi"
_START_S = 60.0

# TLS verified as ours verifies it; the portal's group is asked for as ours does. Of
# the group only its name is fetched: by default the peer reads all its members.
_COMMON = """\
c.JupyterHub.bind_url = "http://127.0.0.1:{proxy}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.ConfigurableHTTPProxy.command = {command}
c.JupyterHub.authenticator_class = "ldap"
c.LDAPAuthenticator.server_address = "localhost"
c.LDAPAuthenticator.server_port = {ldaps}
c.LDAPAuthenticator.tls_strategy = "on_connect"
c.LDAPAuthenticator.tls_kwargs = {{"validate": 2, "ca_certs_file": "{ca}"}}
c.LDAPAuthenticator.allowed_groups = ["cn=kqi-users,{groups}"]
c.LDAPAuthenticator.group_search_filter = "(memberUid={{uid}})"
c.LDAPAuthenticator.group_attributes = ["cn"]
"""
# Its quickest way: the entry's name is made from the person's, nothing is searched.
_TEMPLATE = """\
c.LDAPAuthenticator.bind_dn_template = "uid={{username}},{people}"
"""
# The way that ours goes: a search as the portal, then a bind as the person.
_LOOKUP = """\
c.LDAPAuthenticator.lookup_dn = True
c.LDAPAuthenticator.lookup_dn_search_user = "{service}"
c.LDAPAuthenticator.lookup_dn_search_password = "{password}"
c.LDAPAuthenticator.user_search_base = "{people}"
c.LDAPAuthenticator.user_attribute = "uid"
c.LDAPAuthenticator.lookup_dn_user_dn_attribute = "cn"
c.LDAPAuthenticator.use_lookup_dn_username = False
"""
WAYS: Mapping[str, str] = {"template": _TEMPLATE, "lookup": _LOOKUP}


class PeerFailed(Exception):
    """The peer's hub did not start; the message has the end of its log."""


@contextmanager
def peer_hub(way: str, python: Path, ldaps: int) -> Iterator[tuple[int, int]]:
    """Run the peer's hub in a folder of its own; give its port and pid."""
    folder = Path(f"/run/kqi-bench-{way}")
    subprocess.run(("install", "-d", "-o", USER, "-m", "0700", folder), check=True)
    ports = {name: free_port() for name in ("proxy", "hub", "api")}
    config = folder / "jupyterhub_config.py"
    config.write_text(configuration(way, ports, ldaps))
    os.chown(config, *owner(folder))
    config.chmod(0o600)
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            (python, "-m", "jupyterhub", "-f", config),
            cwd=folder,
            user=USER,
            group=USER,
            env={"PATH": "/usr/bin:/bin", "HOME": str(folder)},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_for(ports["proxy"], process, log)
        yield ports["proxy"], process.pid
    finally:
        # The hub's own proxy is in its session, and ends with it.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def configuration(way: str, ports: Mapping[str, int], ldaps: int) -> str:
    """Return the peer's configuration file."""
    command = json.dumps([str(NODE), str(PROGRAM)])
    return "c = get_config()\n" + (_COMMON + WAYS[way]).format(
        **ports,
        command=command,
        ldaps=ldaps,
        ca=CA_FILE,
        groups=GROUPS_BASE,
        people=PEOPLE_BASE,
        service=SERVICE_DN,
        password=SERVICE_PASSWORD_FILE.read_text().strip(),
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


def owner(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_uid, status.st_gid


def wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Return when the login page is there."""
    deadline = time.monotonic() + _START_S
    while not answers(port):
        if process.poll() is not None or time.monotonic() > deadline:
            tail = log.read_text(errors="replace").splitlines()[-15:]
            raise PeerFailed("\n".join(tail))
        time.sleep(0.2)


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as opened:
            opened.sendall(b"GET /hub/login HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
            return b" 200 " in opened.makefile("rb").readline()
    except OSError:
        return False
