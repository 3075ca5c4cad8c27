"""A real OpenLDAP server on free ports of the loopback, for as long as a test wants."""

import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.adapters.auth.certificates import Certificate
from tests.adapters.auth.entries import BASE, ldif

SERVER = shutil.which("slapd", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
_MODULES = Path("/usr/lib/ldap")
_SCHEMA = Path("/etc/ldap/schema")
_START_TIMEOUT_S = 10

_CONFIG = """\
include {schema}/core.schema
include {schema}/cosine.schema
include {schema}/nis.schema
include {schema}/inetorgperson.schema
modulepath {modules}
moduleload back_mdb
moduleload ppolicy
moduleload otp
loglevel none
TLSCertificateFile {certificate.pem}
TLSCertificateKeyFile {certificate.key}
{extra}
database mdb
suffix {base}
rootdn cn=admin,{base}
rootpw admin-password
directory {data}
maxsize 16777216
dbnosync
index objectClass,uid,memberUid,gidNumber eq
overlay ppolicy
ppolicy_default cn=default,ou=policies,{base}
ppolicy_hash_cleartext
ppolicy_use_lockout
overlay otp
access to attrs=userPassword,oathSecret
  by self =xw
  by anonymous auth
  by * none
access to *
  by users read
  by * none
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@dataclass
class Slapd:
    """One server; `stop` and `start` as a test needs them."""

    folder: Path
    certificate: Certificate
    extra: str = ""
    debug: str = "0"
    ldap: int = field(default_factory=free_port)
    ldaps: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def fill(self) -> "Slapd":
        """Write configuration and entries."""
        data = self.folder / "data"
        data.mkdir(parents=True)
        (self.folder / "slapd.conf").write_text(
            _CONFIG.format(
                schema=_SCHEMA,
                modules=_MODULES,
                certificate=self.certificate,
                extra=self.extra,
                base=BASE,
                data=data,
            )
        )
        (self.folder / "entries.ldif").write_text(ldif(self.ldap))
        done = subprocess.run(
            [
                *_words("slapadd"),
                "-q",
                "-f",
                self._conf,
                "-l",
                self._path("entries.ldif"),
            ],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return self

    def start(self) -> "Slapd":
        """Run it until it listens."""
        urls = f"ldap://127.0.0.1:{self.ldap} ldaps://127.0.0.1:{self.ldaps}"
        words = [*_words("slapd"), "-f", self._conf, "-h", urls, "-d", self.debug]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *words],
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not (_listens(self.ldap) and _listens(self.ldaps)):
            ended = self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                raise AssertionError(f"slapd: {(self.folder / 'log').read_text()}")
            time.sleep(0.02)
        return self

    def stop(self) -> None:
        """End it at once, as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def modify(self, text: str) -> None:
        """Change entries as the directory's administrator."""
        who = ["-x", "-D", f"cn=admin,{BASE}", "-w", "admin-password", "-e", "relax"]
        done = subprocess.run(
            ["ldapmodify", "-H", f"ldap://127.0.0.1:{self.ldap}", *who],
            input=text,
            capture_output=True,
            text=True,
            env={"PATH": os.defpath, "LDAPNOINIT": "1"},
        )
        assert done.returncode == 0, done.stderr

    def log(self) -> str:
        """Return what it printed; with debug "stats", a line for each operation."""
        return (self.folder / "log").read_text(errors="replace")

    @property
    def _conf(self) -> str:
        return self._path("slapd.conf")

    def _path(self, name: str) -> str:
        return str(self.folder / name)


def _words(program: str) -> list[str]:
    assert SERVER is not None
    return [str(Path(SERVER).with_name(program))]


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
