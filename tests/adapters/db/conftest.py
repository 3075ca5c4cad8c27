"""Databases for tests: a new one for each test, on SQLite and on PostgreSQL.

Fixtures:
postgresql_server  a PostgreSQL of our own, from Debian's package, on a private socket
sqlite_url         the address of an empty database of that kind
postgresql_url     the same
database_url       runs the test once with each of the two
engine             an engine on it, disposed of at the end
store              a SqlSnapshotStore on `engine`, with the newest schema
make_store         the same on an address
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine

from kqi_hub.db import schema
from kqi_hub.db.engine import make_engine
from kqi_hub.db.snapshot import SqlSnapshotStore

START_TIMEOUT_S = 30
ROOM_BYTES = 2 * 1024**3


@dataclass(frozen=True)
class PostgresqlServer:
    """A server that listens on a Unix socket in `folder` and nowhere else."""

    folder: Path
    process: subprocess.Popen[bytes]

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=str(self.folder), user="postgres", dbname="postgres", autocommit=True
        )

    def new_database(self) -> str:
        name = f"kqi_{uuid.uuid4().hex}"
        with self.connect() as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
            )
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def drop(self, url: str) -> None:
        """Remove a database: hundreds would be gigabytes to write and to remove."""
        name = urlsplit(url).path.removeprefix("/")
        with self.connect() as connection:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )


def programs() -> Path:
    """Return the folder of the newest PostgreSQL, or say clearly that there is none."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: int(path.parts[4]),
    )
    if found:
        return found[-1].parent
    message = "PostgreSQL is not installed; ./test installs it (.ci/prepare postgres)"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def as_server_account(command: str) -> list[str]:
    """Return the words that run a program as an account that PostgreSQL accepts.

    It refuses root. --pdeathsig: a killed test run leaves no server behind.
    """
    words = ["setpriv", "--pdeathsig", "QUIT"]
    if os.geteuid() == 0:
        account = pwd.getpwnam("postgres")
        words += [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}"]
        words += ["--clear-groups"]
    return words + command.split()


def quick_place() -> Path | None:
    """Return memory with room for databases, else None for the usual place.

    Making and dropping hundreds of them is slow on a disk that others use too.
    """
    memory = Path("/dev/shm")
    is_usable = memory.is_dir() and os.access(memory, os.W_OK)
    return memory if is_usable and shutil.disk_usage(memory).free > ROOM_BYTES else None


def wait_for(server: PostgresqlServer, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            server.connect().close()
        except psycopg.OperationalError:
            ended = server.process.poll() is not None
            if ended or time.monotonic() > deadline:
                pytest.fail(f"PostgreSQL did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.05)
        else:
            return


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    bin_folder = programs()
    # Not below pytest's folder, which only we may enter; and short, for the socket.
    folder = Path(tempfile.mkdtemp(prefix="kqi-pg-", dir=quick_place()))
    data, log = folder / "data", folder / "log"
    if os.geteuid() == 0:
        account = pwd.getpwnam("postgres")
        os.chown(folder, account.pw_uid, account.pw_gid)
    environ = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}
    subprocess.run(
        as_server_account(
            f"{bin_folder}/initdb -D {data} -U postgres -A trust -E UTF8 --no-sync"
        ),
        check=True,
        capture_output=True,
        env=environ,
        cwd=folder,
    )
    # Only our administrator gets in without a password.
    rules = "local all postgres trust\nlocal all all scram-sha-256\n"
    (data / "pg_hba.conf").write_text(rules)
    with log.open("wb") as output:
        process = subprocess.Popen(
            as_server_account(
                f"{bin_folder}/postgres -D {data} -F -c listen_addresses= "
                f"-c unix_socket_directories={folder} "
                "-c max_wal_size=64MB -c min_wal_size=32MB"
            ),
            stdout=output,
            stderr=output,
            env=environ,
            cwd=folder,
        )
    server = PostgresqlServer(folder, process)
    try:
        wait_for(server, log)
        yield server
    finally:
        # Nothing is written first: all of it is thrown away.
        process.send_signal(signal.SIGQUIT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(folder)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/kqi.sqlite"


@pytest.fixture
def postgresql_url(postgresql_server: PostgresqlServer) -> Iterator[str]:
    url = postgresql_server.new_database()
    yield url
    postgresql_server.drop(url)


@pytest.fixture(params=["sqlite_url", "postgresql_url"])
def database_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url, create=True)
    yield engine
    engine.dispose()


@pytest.fixture
def make_store() -> Iterator[Callable[[str], SqlSnapshotStore]]:
    engines = []

    def make(url: str) -> SqlSnapshotStore:
        engine = make_engine(url, create=True)
        engines.append(engine)
        schema.upgrade(engine)
        return SqlSnapshotStore(engine, "gpu1")

    yield make
    for engine in engines:
        engine.dispose()


@pytest.fixture
def store(engine: Engine) -> SqlSnapshotStore:
    schema.upgrade(engine)
    return SqlSnapshotStore(engine, "gpu1")
