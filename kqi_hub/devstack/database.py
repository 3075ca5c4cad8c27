"""MariaDB, reachable through a Unix socket only, for slurmdbd."""

from pathlib import Path

from kqi_hub.devstack.processes import Command

DATA = Path("/var/lib/mysql")
SOCKET = Path("/run/mysqld/mysqld.sock")
_CONF = Path("/etc/mysql/my.cnf")
_INIT = Path("/etc/mysql/first.sql")

# Small, and quick to start: a cluster for trying things keeps little and loses nothing
# when a process is killed (only when the machine loses power within a second).
_MY_CNF = f"""\
[client]
socket={SOCKET}
[mariadbd]
datadir={DATA}
socket={SOCKET}
pid-file=/run/mysqld/mysqld.pid
init-file={_INIT}
skip-networking
skip-name-resolve
skip-log-bin
innodb_buffer_pool_size=64M
innodb_log_file_size=32M
innodb_flush_log_at_trx_commit=2
innodb_lock_wait_timeout=900
"""

# The Unix user is the password: slurmdbd's user, and nobody else, is let in.
_FIRST_SQL = """\
CREATE DATABASE IF NOT EXISTS slurm_acct;
CREATE USER IF NOT EXISTS slurm@localhost IDENTIFIED VIA unix_socket;
GRANT ALL ON slurm_acct.* TO slurm@localhost;
"""


def write_database_files(folder: Path) -> None:
    """Write MariaDB's settings and what it runs at each start."""
    folder.mkdir(mode=0o755)
    (folder / _CONF.name).write_text(_MY_CNF)
    (folder / _INIT.name).write_text(_FIRST_SQL)


def install() -> Command:
    """Return the command that makes an empty database."""
    return Command(
        (
            "mariadb-install-db", f"--defaults-file={_CONF}", f"--datadir={DATA}",
            "--skip-test-db", "--auth-root-authentication-method=socket",
            "--auth-root-socket-user=root", "--skip-name-resolve",
        ),
        user="mysql",
    )  # fmt: skip


def server() -> Command:
    """Return the server."""
    return Command(("mariadbd", f"--defaults-file={_CONF}"), user="mysql")


def check() -> Command:
    """Return the command that succeeds once slurmdbd may connect."""
    return Command(("mariadb", "-e", "SELECT 1", "slurm_acct"), user="slurm")
