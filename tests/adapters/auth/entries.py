"""What the test directories hold: one person for each thing that can be the matter."""

import base64
import time
from collections.abc import Iterator

BASE = "dc=kqi,dc=test"
PEOPLE = f"ou=people,{BASE}"
GROUPS = f"ou=groups,{BASE}"
SERVICE_DN = f"cn=portal,{BASE}"
SERVICE_PASSWORD = "portal-password"
PASSWORD = "right-password"
OTP_DN = f"cn=otp,ou=tokens,{BASE}"
OTP_SECRET = b"12345678901234567890"
_DAY_S = 86_400


def ldif(port: int) -> str:
    """Return the whole directory; `port` is the server's own, for referrals to it."""
    return "\n".join([*_top(), *_policies(), *_people(), *_odd(port), *_groups()])


def _top() -> Iterator[str]:
    head = f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\n"
    yield head + "dc: kqi\no: k\n"
    for unit in (PEOPLE, GROUPS, f"ou=policies,{BASE}", f"ou=tokens,{BASE}"):
        name = unit.partition(",")[0].removeprefix("ou=")
        yield f"dn: {unit}\nobjectClass: organizationalUnit\nou: {name}\n"
    yield (
        f"dn: {SERVICE_DN}\nobjectClass: organizationalRole\n"
        f"objectClass: simpleSecurityObject\ncn: portal\n"
        f"userPassword: {SERVICE_PASSWORD}\n"
    )


def _policies() -> Iterator[str]:
    quality = "pwdMinLength: 10\npwdCheckQuality: 2\npwdInHistory: 3\n"
    for name, rules in {
        "default": quality
        + "pwdMustChange: TRUE\npwdLockout: TRUE\npwdMaxFailure: 0\n",
        "aging": "pwdMaxAge: 7776000\npwdExpireWarning: 864000\n"
        "pwdGraceAuthNLimit: 2\n",
        "strict": "pwdMaxAge: 7776000\n",
        "locking": "pwdLockout: TRUE\npwdMaxFailure: 3\npwdLockoutDuration: 600\n",
        "fixed": "pwdAllowUserChange: FALSE\n",
        "young": "pwdMinAge: 86400\n",
    }.items():
        yield (
            f"dn: cn={name},ou=policies,{BASE}\nobjectClass: device\n"
            f"objectClass: pwdPolicy\ncn: {name}\npwdAttribute: userPassword\n{rules}"
        )


def _people() -> Iterator[str]:
    long_ago, soon = _ago(400 * _DAY_S), _ago(85 * _DAY_S)
    for number, (name, more) in enumerate(
        {
            "alice": "mail: alice@example.test\nmail: second@example.test\n",
            "bob": "",
            "reset": "pwdReset: TRUE\n",
            "grace": _policy("aging") + f"pwdChangedTime: {long_ago}\n",
            "soon": _policy("aging") + f"pwdChangedTime: {soon}\n",
            "expired": _policy("strict") + f"pwdChangedTime: {long_ago}\n",
            "guessed": _policy("locking"),
            "fixed": _policy("fixed"),
            "young": _policy("young") + f"pwdChangedTime: {_ago(60)}\n",
            "locked": "pwdAccountLockedTime: 000001010000Z\n",
            "shadow": "objectClass: shadowAccount\nshadowExpire: 1\n",
            "future": "objectClass: shadowAccount\nshadowExpire: 99999\n",
            "left": "employeeType: Left\n",
            "otp": f"objectClass: oathTOTPUser\noathTOTPToken: {OTP_DN}\n",
            "s.mith-2_x": "",
            "20231234": "",
        }.items(),
        start=20001,
    ):
        yield person(name, number, more)
    yield (
        f"dn: cn=params,ou=tokens,{BASE}\nobjectClass: device\n"
        "objectClass: oathTOTPParams\ncn: params\noathOTPLength: 6\n"
        "oathHMACAlgorithm: 1.2.840.113549.2.7\noathTOTPTimeStepPeriod: 30\n"
        "oathTOTPTimeStepWindow: 1\n"
    )
    yield (
        f"dn: {OTP_DN}\nobjectClass: device\n"
        f"objectClass: oathTOTPToken\ncn: otp\n"
        f"oathTOTPParams: cn=params,ou=tokens,{BASE}\n"
        f"oathSecret:: {base64.b64encode(OTP_SECRET).decode()}\n"
    )


def _odd(port: int) -> Iterator[str]:
    """Yield entries that must not be taken for somebody they are not."""
    yield person("Upper", 20101)
    yield person("twin", 20102)
    yield f"dn: ou=deep,{PEOPLE}\nobjectClass: organizationalUnit\nou: deep\n"
    yield person("twin", 20103, base=f"ou=deep,{PEOPLE}")
    yield person("deep", 20104, base=f"ou=deep,{PEOPLE}")
    yield person("multi", 20105, "uid: alias\n")
    yield person("huge", 2**40)
    yield (
        person("nouid", 20107)
        .replace("posixAccount", "organizationalPerson")
        .replace("uidNumber: 20107\n", "")
        .replace("gidNumber: 20107\n", "")
        .replace("homeDirectory: /home/nouid\n", "")
    )
    yield (
        f"dn: ou=loop,{PEOPLE}\nobjectClass: referral\nobjectClass: extensibleObject\n"
        f"ou: loop\nref: ldap://127.0.0.1:{port}/ou=loop,{PEOPLE}\n"
    )


def person(name: str, uid: int, more: str = "", base: str = PEOPLE) -> str:
    text = (
        f"objectClass: inetOrgPerson\nobjectClass: posixAccount\nuid: {name}\n"
        f"cn: {name} cn\nsn: {name}\ndisplayName: The {name}\nuidNumber: {uid}\n"
        f"gidNumber: {uid}\nhomeDirectory: /home/{name}\n"
        f"userPassword: {PASSWORD}\n{more}"
    )
    # slapadd wants the values of one attribute side by side.
    lines = sorted(text.splitlines(), key=lambda line: line.partition(":")[0])
    return "\n".join([f"dn: uid={name},{base}", *lines, ""])


def _groups() -> Iterator[str]:
    yield (
        f"dn: cn=kqi-users,{GROUPS}\nobjectClass: posixGroup\ncn: kqi-users\n"
        "gidNumber: 20201\nmemberUid: alice\nmemberUid: bob\n"
    )
    yield (
        f"dn: cn=alice,{GROUPS}\nobjectClass: posixGroup\ncn: alice\ngidNumber: 20001\n"
    )
    yield (
        f"dn: cn=vision,{GROUPS}\nobjectClass: groupOfNames\ncn: vision\n"
        f"member: uid=alice,{PEOPLE}\nmember: cn=outer,{GROUPS}\n"
    )
    yield (
        f"dn: cn=outer,{GROUPS}\nobjectClass: groupOfNames\ncn: outer\n"
        f"member: cn=vision,{GROUPS}\n"
    )
    yield (
        f"dn: cn=unique,{GROUPS}\nobjectClass: groupOfUniqueNames\ncn: unique\n"
        f"uniqueMember: uid=alice,{PEOPLE}\n"
    )
    yield (
        f"dn: cn=others,{GROUPS}\nobjectClass: posixGroup\ncn: others\n"
        "gidNumber: 20205\nmemberUid: alicex\nmemberUid: xalice\n"
    )


def _policy(name: str) -> str:
    return f"pwdPolicySubentry: cn={name},ou=policies,{BASE}\n"


def _ago(seconds: int) -> str:
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() - seconds))
