"""The directory: slapd with TLS, a password policy and the demo's people."""

import os
import secrets
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from kqi_hub.devstack.people import GROUPS, PEOPLE, Person, Secret, write_secret
from kqi_hub.devstack.processes import Command

BASE = "dc=kqi,dc=demo"
PEOPLE_BASE = f"ou=people,{BASE}"
GROUPS_BASE = f"ou=groups,{BASE}"
SERVICE_DN = f"cn=kqi,ou=services,{BASE}"
CA_FILE = Path("/etc/ldap/kqi/ca.pem")
SERVICE_PASSWORD_FILE = Path("/etc/kqi/directory-password")
DATA = Path("/var/lib/ldap")
_CONF = Path("/etc/ldap/slapd-kqi.conf")
_ENTRIES = Path("/etc/ldap/first.ldif")
_SOCKET = "ldapi://%2Frun%2Fslapd%2Fldapi"

_SLAPD_CONF = f"""\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
pidfile /run/slapd/slapd.pid
argsfile /run/slapd/slapd.args
loglevel stats
TLSCACertificateFile {CA_FILE}
TLSCertificateFile {CA_FILE.parent}/server.pem
TLSCertificateKeyFile {CA_FILE.parent}/server.key
# Passwords travel inside TLS or through the local socket, or not at all.
security simple_bind=128
localSSF 256
# The machine's root is the directory's: ldapmodify -Y EXTERNAL -H ldapi:///
authz-regexp gidNumber=0[+]uidNumber=0,cn=peercred,cn=external,cn=auth cn=manager,{BASE}

database mdb
suffix {BASE}
rootdn cn=manager,{BASE}
directory {DATA}
maxsize 67108864
index objectClass,uid,uidNumber,gidNumber,memberUid eq
overlay ppolicy
ppolicy_default cn=default,ou=policies,{BASE}
ppolicy_hash_cleartext
access to attrs=userPassword
  by self =xw
  by anonymous auth
  by * none
access to attrs=shadowLastChange
  by self write
  by users read
  by * none
access to *
  by users read
  by * none
"""


def write_directory_files(
    etc: Path, owner: tuple[int, int], stored: Path, port: int
) -> None:
    """Write slapd's settings, certificates and the clients' ldap.conf."""
    folder = etc / "ldap"
    folder.mkdir(mode=0o755, exist_ok=True)
    (folder / _CONF.name).write_text(_SLAPD_CONF)
    (folder / "ldap.conf").write_text(
        f"BASE {BASE}\nURI ldaps://localhost:{port}\nTLS_CACERT {CA_FILE}\n"
    )
    own = folder / CA_FILE.parent.name
    own.mkdir(mode=0o755)
    for name in ("ca.pem", "server.pem", "server.key"):
        (own / name).write_bytes((stored / name).read_bytes())
    (own / "server.key").chmod(0o400)
    os.chown(own / "server.key", *owner)


def keep_certificates(folder: Path) -> None:
    """Make a certificate authority and the server's certificate, once."""
    if (folder / "server.pem").exists():
        return
    _openssl(
        "req", "-x509", "-days", "3650", "-subj", "/CN=KQI Hub demo CA",
        "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-keyout", str(folder / "ca.key"), "-out", str(folder / "ca.pem"),
    )  # fmt: skip
    _openssl(
        "req", "-new", "-subj", "/CN=localhost",
        "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-keyout", str(folder / "server.key"), "-out", str(folder / "server.csr"),
    )  # fmt: skip
    names = folder / "server.ext"
    names.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    _openssl(
        "x509", "-req", "-days", "3650", "-in", str(folder / "server.csr"),
        "-CA", str(folder / "ca.pem"), "-CAkey", str(folder / "ca.key"),
        "-extfile", str(names), "-out", str(folder / "server.pem"),
    )  # fmt: skip


def _openssl(*arguments: str) -> None:
    subprocess.run(("openssl", *arguments), check=True, capture_output=True)


def keep_service_password(path: Path) -> str:
    """Return the password of the portal's own directory entry, made once."""
    if not path.exists():
        write_secret(path, secrets.token_urlsafe(24) + "\n")
    return path.read_text().strip()


def load() -> Command:
    """Return the command that fills the empty directory, before slapd runs."""
    return Command(
        ("slapadd", "-q", "-f", str(_CONF), "-l", str(_ENTRIES)), user="openldap"
    )


def server(ldap: int, ldaps: int) -> Command:
    """Return the server."""
    urls = f"ldap://127.0.0.1:{ldap} ldaps://127.0.0.1:{ldaps} {_SOCKET}"
    return Command(
        ("slapd", "-f", str(_CONF), "-h", urls, "-d", "stats"), user="openldap"
    )


def check(ldaps: int) -> Command:
    """Return the command that succeeds once the directory answers over TLS."""
    return Command(("ldapwhoami", "-x", "-H", f"ldaps://localhost:{ldaps}"))


def _hashed(password: str) -> str:
    done = subprocess.run(
        ("slappasswd", "-n", "-T", "/dev/stdin"),
        input=password.encode(),
        check=True,
        capture_output=True,
    )
    return done.stdout.decode()


def write_entries(
    etc: Path, owner: tuple[int, int], people: Mapping[str, Secret], service: str
) -> None:
    """Write the first content of the directory, readable by slapd alone."""
    entries = [
        *_top_entries(_hashed(service)),
        *(_person_entry(one, _hashed(people[one.name].password)) for one in PEOPLE),
        *_group_entries(),
    ]
    path = etc / "ldap" / _ENTRIES.name
    write_secret(path, "\n".join(entries))
    os.chown(path, *owner)


def _top_entries(service_password: str) -> Iterator[str]:
    yield (
        f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\n"
        "dc: kqi\no: KQI Hub demo\n"
    )
    for unit in ("people", "groups", "services", "policies"):
        yield f"dn: ou={unit},{BASE}\nobjectClass: organizationalUnit\nou: {unit}\n"
    yield (
        f"dn: {SERVICE_DN}\nobjectClass: organizationalRole\n"
        "objectClass: simpleSecurityObject\ncn: kqi\n"
        f"userPassword: {service_password}\n"
    )
    # pwdLockout makes an operator's lock (pwdAccountLockedTime) count. Wrong guesses
    # never lock (the portal slows them down): nobody can lock a colleague out.
    yield (
        f"dn: cn=default,ou=policies,{BASE}\nobjectClass: device\n"
        "objectClass: pwdPolicy\ncn: default\npwdAttribute: userPassword\n"
        "pwdMinLength: 10\npwdCheckQuality: 2\npwdInHistory: 3\npwdLockout: TRUE\n"
        "pwdMaxFailure: 0\npwdMustChange: TRUE\npwdAllowUserChange: TRUE\n"
        "pwdSafeModify: FALSE\n"
    )


def _person_entry(person: Person, password: str) -> str:
    lines = [
        f"dn: uid={person.name},{PEOPLE_BASE}",
        "objectClass: inetOrgPerson",
        "objectClass: posixAccount",
        "objectClass: shadowAccount",
        f"uid: {person.name}",
        f"cn: {person.given_name} {person.surname}",
        f"displayName: {person.given_name} {person.surname}",
        f"givenName: {person.given_name}",
        f"sn: {person.surname}",
        f"mail: {person.name}@demo.invalid",
        f"uidNumber: {person.uid}",
        f"gidNumber: {person.uid}",
        f"homeDirectory: /home/{person.name}",
        "loginShell: /bin/bash",
        f"userPassword: {password}",
    ]
    if person.disabled:
        # The two ways in which sites close an account: OpenLDAP's policy refuses the
        # bind, and pam/sssd on the nodes refuses the login.
        lines += ["shadowExpire: 1", "pwdAccountLockedTime: 000001010000Z"]
    return "\n".join(lines) + "\n"


def _group_entries() -> Iterator[str]:
    own = {person.name: (person.uid, (person.name,)) for person in PEOPLE}
    shared = {
        name: (gid, tuple(one.name for one in PEOPLE if name in one.groups))
        for name, gid in GROUPS.items()
    }
    for name, (gid, members) in (own | shared).items():
        head = f"dn: cn={name},{GROUPS_BASE}\nobjectClass: posixGroup\ncn: {name}\n"
        yield (
            head
            + f"gidNumber: {gid}\n"
            + "".join(f"memberUid: {member}\n" for member in members)
        )
