"""KQI Hub's own files: its settings, the door's configuration, its commands."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from kqi_hub.devstack import directory, layout, session_env
from kqi_hub.devstack.accounts import Account
from kqi_hub.devstack.processes import Command

USER = "kqi"
ETC = Path("/etc/kqi")
STATE = Path("/var/lib/kqi")
DOOR_CONFIG = ETC / "runas.toml"
DOOR_SOCKET = Path("/run/kqi/runas.sock")
DOOR_LOG = Path("/var/log/kqi/runas.log")
STORE_USER = "kqi-store"
STORE_KEY = ETC / "store.key"
PORTS = ("proxy", "proxy-api", "hub", "portal", "store")
_HELPER = layout.CODE / "kqi_hub/runas/helper.py"
_ONCE = f"/usr/bin/python3 -I {_HELPER} once --config {DOOR_CONFIG}"


def _ours(module: str) -> tuple[str, ...]:
    """Return how a program of ours runs as a person, untouched by what is theirs."""
    # `-I` keeps everything of the person's away from the interpreter, PYTHONPATH too;
    # the demo's code lies beside its environment, not in it.
    return (
        str(layout.PYTHON),
        "-I",
        "-c",
        f"import sys; sys.path.insert(0, {str(layout.CODE)!r}); "
        f"from {module} import main; sys.exit(main())",
    )


_AGENT = _ours("kqi_hub.agent.main")
_COLLECT = (*_ours("kqi_hub.runner.collect"), "--store", "/run/kqi-store/store.sock")

_SETTINGS = """\
# Written by ./demo at every start.
[site]
name = "KQI Hub demo"
support = "hpc-help@example.org"
state_dir = "{state}"

[cluster]
name = "{cluster}"
poll_interval_s = 5
# Nobody else needs this controller: what was away is seen soon after it is back.
poll_interval_max_s = 10

[door]
transport = "socket"
socket = "{socket}"

[database]
url = "sqlite:///{state}/kqi.sqlite"

[directory]
servers = ["ldaps://localhost:{ldaps}"]
ca_file = "{ca}"
bind_dn = "{bind_dn}"
bind_password_file = "{password_file}"
people_base = "{people}"
groups_base = "{groups}"

[scratch]
root = "{scratch}"

[people]
group = "kqi-users"
operators_group = "kqi-operators"
min_uid = 1000

[notebooks]
session_python = "{python}"

[environments]
queue = "jupyter"

[store]
port = {store}

[hub]
public_url = "http://127.0.0.1:{proxy}/"
listen = "http://127.0.0.1:{proxy}"
hub_port = {hub}
proxy_port = {proxy_api}
portal_port = {portal}

[[git]]
name = "github"
kind = "github"
url = "https://github.com"

[[registry]]
name = "ngc"
kind = "ngc"
url = "https://nvcr.io"

[billing]
currency = "JPY"

[[queue]]
name = "jupyter"
purpose = "Free: setting up, preprocessing, debugging"
shares_gpus = true
places_per_node = 10
most_cpus = 4
most_gpus = 0

[[queue]]
name = "v100"
purpose = "Training on V100, a node for yourself"

[[queue]]
name = "a100"
purpose = "Training on A100, a node for yourself"

[[queue]]
name = "cpu"
purpose = "Computing without GPUs"

[[rate]]
queue = "jupyter"

[[rate]]
queue = "v100"
per_node = "240"

[[rate]]
queue = "a100"
per_node = "1200"

[[rate]]
queue = "cpu"
per_cpu = "1.5"
per_memory_gb = "0.25"

[[preset]]
name = "free-4h"
title = "Free, 4 h"
queue = "jupyter"
cpus = 2
memory_gb = 8
lifetime_hours = 4

[[preset]]
name = "a100-day"
title = "1 node A100, day"
queue = "a100"
cpus = 64
memory_gb = 512
gpus = 8
lifetime_hours = 24
"""

_DOOR = """\
# Written by ./demo at every start.
callers = ["{user}"]
people_group = "kqi-users"
min_uid = 1000
scratch_root = "{scratch}"
slurm_bin = "/usr/bin"
agent_command = {agent}
collect_command = {collect}
socket = "{socket}"
log_file = "{log}"
"""


def write_portal_files(
    etc: Path, kqi: Account, ports: Mapping[str, int], directory_password: str
) -> None:
    """Write /etc/kqi and the sudo rule that is the door's other way in."""
    folder = etc / ETC.name
    folder.mkdir(mode=0o755)
    settings = folder / "kqi.toml"
    settings.write_text(
        _SETTINGS.format(
            state=STATE,
            cluster=layout.CLUSTER,
            socket=DOOR_SOCKET,
            ldaps=ports["ldaps"],
            ca=directory.CA_FILE,
            bind_dn=directory.SERVICE_DN,
            password_file=directory.SERVICE_PASSWORD_FILE,
            people=directory.PEOPLE_BASE,
            groups=directory.GROUPS_BASE,
            scratch=layout.SCRATCH,
            python=session_env.PYTHON,
            **{name.replace("-", "_"): ports[name] for name in PORTS},
        )
    )
    os.chown(settings, 0, kqi.gid)
    settings.chmod(0o640)
    (folder / DOOR_CONFIG.name).write_text(
        _DOOR.format(
            user=USER,
            scratch=layout.SCRATCH,
            agent=json.dumps(_AGENT),
            collect=json.dumps(_COLLECT),
            socket=DOOR_SOCKET,
            log=DOOR_LOG,
        )
    )
    password = folder / directory.SERVICE_PASSWORD_FILE.name
    password.touch(mode=0o600)
    os.chown(password, kqi.uid, kqi.gid)
    password.write_text(directory_password + "\n")
    rule = etc / "sudoers.d" / "kqi-runas"
    rule.write_text(f"{USER} ALL=(root) NOPASSWD: {_ONCE}\n")
    rule.chmod(0o440)


def write_commands() -> None:
    """Put `kqi` and `kqi-hub` on everybody's PATH; runs inside the private root.

    Root becomes the service user for `kqi-hub`: files that it makes must be the
    portal's. `kqi` runs as whoever types it.
    """
    (layout.BIN / "kqi").symlink_to(session_env.PYTHON.with_name("kqi"))
    command = layout.BIN / "kqi-hub"
    command.write_text(
        "#!/bin/sh\n"
        f"export PYTHONPATH={layout.CODE}\n"
        f'set -- {layout.PYTHON} -m kqi_hub.operator.main "$@"\n'
        f'[ "$(id -u)" != 0 ] || set -- setpriv --reuid={USER} --regid={USER}'
        ' --init-groups "$@"\n'
        'exec "$@"\n'
    )
    command.chmod(0o755)


def door() -> Command:
    """Return the helper behind the door's socket."""
    return Command(
        ("/usr/bin/python3", "-I", str(_HELPER), "serve", "--config", str(DOOR_CONFIG))
    )


def upgrade_database() -> Command:
    """Return the command that brings the portal's database to this version."""
    return _python("-m", "kqi_hub.operator.main", "db", "upgrade")


def worker() -> Command:
    """Return the poller."""
    return _python("-m", "kqi_hub.worker")


def picture() -> Command:
    """Return the command that tells how fresh the worker's picture of Slurm is."""
    return _python("-m", "kqi_hub.operator.main", "nodes", "--json")


def make_keys() -> Command:
    """Return the command that makes the keys of stored secrets."""
    return _python("-m", "kqi_hub.operator.main", "keys", "generate")


def enrol(person: str) -> Command:
    """Return the command that takes over a person's code device, its key on stdin."""
    return _python("-m", "kqi_hub.operator.main", "person", "import-factor", person)


def proxy() -> Command:
    """Return the proxy that browsers talk to."""
    return _python("-m", "hub_config.proxy")


def hub() -> Command:
    """Return JupyterHub."""
    config = layout.CODE / "hub_config/jupyterhub_config.py"
    return _python("-m", "jupyterhub", "-f", str(config))


def pages() -> Command:
    """Return the portal's pages."""
    return _python("-m", "hub_config.portal")


def prepare_store(tenants: tuple[str, ...]) -> Command:
    """Return the command that makes the store's folders, as root."""
    return _python(
        "-m", "kqi_hub.operator.main", "store", "prepare", *tenants, user="root"
    )


def store(port: int) -> Command:
    """Return the data store; its other options are right as they are."""
    return _python("-m", "kqi_hub.store", f"--port={port}", user=STORE_USER)


def _python(*arguments: str, user: str = USER) -> Command:
    return Command(
        (str(layout.PYTHON), *arguments),
        user=user,
        environment={"PYTHONPATH": str(layout.CODE), "PYTHONUNBUFFERED": "1"},
    )
