#!/usr/bin/python3 -I
"""kqi-runas: the one privileged door of KQI Hub, written to be read in one sitting.

It runs as root, takes one line of JSON from an allowed caller,

    {"verb": "cancel", "person": "alice", "arguments": {"job_ids": ["12"]}}

checks all of it, becomes the person for good, runs the one program that VERBS names
for the verb, and answers with one line of JSON. Standard library only. Nothing that a
caller sends reaches a shell; root opens no file that a person can influence.
From top to bottom: configuration, people, fields, scratch, secrets, agents, verbs,
becoming somebody, supervision, one call, its audit line, the two ways in.
"""

import contextlib
import ctypes
import errno
import functools
import grp
import json
import os
import pwd
import re
import resource
import select
import signal
import socket
import stat
import struct
import sys
import syslog
import time
import tomllib
import traceback
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from pathlib import Path
from typing import Any, NoReturn

VERSION = "1"
MIB = 1024 * 1024
REQUEST_LIMIT_BYTES = 2 * MIB
SCRIPT_LIMIT_BYTES = MIB
SECRET_LIMIT_BYTES = MIB
REQUEST_TIMEOUT_S = 10  # for the whole request, however slowly it drips
ANSWER_TIMEOUT_S = 10
SPARE_S = 30  # for the user database; after that the kernel ends a call that hangs
KILL_GRACE_S = 2  # from TERM to KILL, and from KILL to giving up
LINGER_S = 0.5  # for output of what a finished program left behind
STOP_GRACE_S = 10
EXIT_USAGE, EXIT_BROKEN, EXIT_CONFIG = 64, 70, 78  # never 1 or 2: those are sudo's


class Refused(Exception):
    """The call breaks a rule, and nothing has happened."""


class ConfigError(Exception):
    """The helper's own set-up is not safe to run with."""


# --- Configuration: a file that nobody but root can have written ---------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What the operator decides; docs/operators/door.md explains each key."""

    callers: tuple[str, ...]
    people_group: str
    min_uid: int
    scratch_root: str
    slurm_bin: str
    slurm_conf: str = ""
    agent_command: tuple[str, ...] = ()  # empty: this site has no agents
    collect_command: tuple[str, ...] = ()  # empty: this site has no runs
    socket: str = "/run/kqi/runas.sock"
    log_file: str = ""  # empty: syslog
    time_limit_s: int = 45
    output_limit_bytes: int = MIB
    max_children: int = 16


def load_config(path: str) -> Config:
    """Read and check the configuration file."""
    require_trusted(path)
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        info = os.fstat(file.fileno())
        if not stat.S_ISREG(info.st_mode) or info.st_uid != 0 or info.st_mode & 0o022:
            raise ConfigError(f"{path}: only root may own it and write to it")
        table = tomllib.loads(file.read(65536).decode())
    known = {entry.name: entry for entry in fields(Config)}
    if unknown := set(table) - set(known):
        raise ConfigError(f"{path}: unknown key {min(unknown)}")
    if missing := {k for k in known if known[k].default is MISSING} - set(table):
        raise ConfigError(f"{path}: {min(missing)} is missing")
    return Config(**{key: setting(known[key], table[key]) for key in table})


def require_trusted(path: str, levels: int | None = None) -> None:
    """Refuse a path under which anybody but root could put something else."""
    if not is_plain_path(path):
        raise ConfigError(f"{path!a} is not an absolute, normalised path")
    for place in Path(path).parents[:levels]:
        info = place.lstat()
        # In a sticky folder nobody can move what belongs to root; the folder that
        # holds the thing itself gets no such leave.
        sticky = info.st_mode & stat.S_ISVTX and place != Path(path).parent
        loose = info.st_mode & 0o022 and not sticky
        if not stat.S_ISDIR(info.st_mode) or info.st_uid != 0 or loose:
            raise ConfigError(
                f"{path}: {place} must be a folder (not a link) that belongs to root "
                "and that only root can write to"
            )


def setting(entry: Field[Any], value: Any) -> Any:
    """Return one setting, or say what it should have been."""
    if entry.type is str:
        good, expected = type(value) is str, "text"
    elif entry.type is int:
        good, expected = type(value) is int and value > 0, "a whole number above 0"
    else:
        names = type(value) is list and all(type(name) is str for name in value)
        good, expected = names and value != [], "a list of texts"
    if not good:
        raise ConfigError(f"{entry.name}: expected {expected}, got {shown(value)}")
    return tuple(value) if type(value) is list else value


# --- People: who may call, and who may be acted for ----------------------------------

PERSON_NAME = re.compile(r"[a-z_][a-z0-9_.-]{0,31}")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody that this helper may become."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str
    shell: str


def caller_uids(config: Config) -> set[int]:
    """Return the numbers of those who may call."""
    try:
        return {pwd.getpwnam(name).pw_uid for name in config.callers}
    except KeyError as error:
        raise ConfigError(f"callers: {error.args[0]}") from None


def find_person(config: Config, name: object) -> Person:
    """Look a person up afresh and refuse root, system users and strangers."""
    if type(name) is not str or not PERSON_NAME.fullmatch(name):
        raise Refused(f"person: {shown(name)} is not a user name")
    try:
        found = pwd.getpwnam(name)
        people_gid = grp.getgrnam(config.people_group).gr_gid
    except KeyError as error:
        raise Refused(f"person: {error.args[0]}") from None
    groups = tuple(os.getgrouplist(name, found.pw_gid))
    if found.pw_name != name:  # a directory that folds case, an alias
        raise Refused(f"person: {name} is really called {shown(found.pw_name)}")
    if found.pw_uid < config.min_uid or 0 in (found.pw_uid, *groups):
        raise Refused(f"person: {name} is a system user or in root's group")
    if people_gid not in groups:
        raise Refused(f"person: {name} is not in the group {config.people_group}")
    ids = (found.pw_uid, found.pw_gid, groups)
    return Person(name, *ids, found.pw_dir, found.pw_shell)


# --- Fields: each check takes whatever was sent and returns it, or refuses -----------

Check = Callable[[object], Any]
SIGNALS = ("CONT", "HUP", "INT", "KILL", "QUIT", "STOP", "TERM", "USR1", "USR2")
ACTIONS = ("hold", "release", "requeue")
YEAR_S = 366 * 24 * 3600


def shown(value: object) -> str:
    """Return what was sent in plain ASCII and short enough for a message."""
    text = ascii(value[:80] if isinstance(value, str | list) else value)
    return text if len(text) <= 80 else text[:77] + "..."


def is_plain_path(path: str) -> bool:
    """Tell whether a path is absolute, normalised, printable and short enough."""
    normal = path.startswith("/") and path == os.path.normpath(path)
    printable = path.isprintable() and len(path.encode()) < 4096
    return normal and printable and not path.startswith("//")


def text(accept: Callable[[str], object], expected: str, quote: bool = True) -> Check:
    """Return a check for text that quotes what it refuses, unless it may be private."""

    def check(value: object) -> str:
        if type(value) is str and accept(value):
            return value
        raise Refused(f"expected {expected}" + f", got {shown(value)}" * quote)

    return check


job_name = text(
    re.compile(r"[A-Za-z0-9_.+][A-Za-z0-9_.+-]{0,199}").fullmatch,
    "1 to 200 of A-Z a-z 0-9 _ . + - with no - in front",
)
secret_name = text(
    re.compile(r"[A-Za-z0-9_+][A-Za-z0-9_.+-]{0,199}").fullmatch,
    "a job's name with no dot in front",
)
job_number = text(
    re.compile(r"[1-9][0-9]{0,9}(_[0-9]{1,9})?").fullmatch,
    "a job's number such as 12, or an array task's such as 12_3",
)
run_folder = text(
    re.compile(
        r"(training|inference|preprocessing)/[1-9][0-9]{0,14}(\.[1-9][0-9]{0,9})?"
    ).fullmatch,
    "a run's folder such as training/12, or training/12.345 of a job's own",
)
output_name = text(
    lambda value: (
        1 <= len(encoded(value)) <= 255
        and not {"/", "\0"} & set(value)
        and value not in (".", "..")
    ),
    "the name of one folder, 1 to 255 bytes of UTF-8",
)
relative_path = text(
    lambda value: 1 <= len(encoded(value)) <= 4096 and "\0" not in value,
    "a path of 1 to 4096 bytes of UTF-8",
)
ticket = text(
    re.compile(r"[A-Za-z0-9_.=-]{1,2048}").fullmatch, "the portal's ticket", quote=False
)
absolute_path = text(is_plain_path, "an absolute, normalised, printable path")
comment = text(
    lambda value: value.isprintable() and len(value) <= 1024,
    "one printable line of at most 1024 characters",
    quote=False,
)
signal_name = text(SIGNALS.__contains__, f"one of {', '.join(SIGNALS)}")
action = text(ACTIONS.__contains__, f"one of {', '.join(ACTIONS)}")


def number(low: int, high: int) -> Check:
    """Return a check for a whole number."""

    def check(value: object) -> int:
        if type(value) is int and low <= value <= high:
            return value
        raise Refused(
            f"expected a whole number from {low} to {high}, got {shown(value)}"
        )

    return check


def job_id(value: object) -> Any:
    """Check a job's number, sent as a number or as text."""
    return job_number(str(value) if type(value) is int else value)


def many(check: Check, what: str) -> Check:
    """Return a check for a list."""

    def check_all(value: object) -> list[Any]:
        if type(value) is list and 1 <= len(value) <= 1000:
            return [check(entry) for entry in value]
        raise Refused(f"expected a list of 1 to 1000 {what}")

    return check_all


def encoded(value: object) -> bytes:
    """Return text as bytes, and nothing for what is no text."""
    try:
        return value.encode() if type(value) is str else b""
    except UnicodeEncodeError:
        return b""


def script(value: object) -> bytes:
    """Check the form of a batch script; what it says is the person's own affair."""
    raw = encoded(value)
    if not raw.startswith(b"#!") or b"\0" in raw or b"\r" in raw:
        raise Refused("expected text that begins with #!, without NUL and CR")
    if len(raw) > SCRIPT_LIMIT_BYTES:
        raise Refused(f"{len(raw)} bytes are more than {SCRIPT_LIMIT_BYTES}")
    return raw


def secret(value: object) -> bytes:
    """Check what only the person may read; no message ever quotes it."""
    raw = encoded(value)
    if not 1 <= len(raw) <= SECRET_LIMIT_BYTES:
        raise Refused(f"expected UTF-8 text of 1 to {SECRET_LIMIT_BYTES} bytes")
    return raw


# --- Scratch: the only thing that root itself ever makes -----------------------------

SCRATCH_FOLDERS = ("workspace", "log", ".conda", ".conda/envs", "kqi")
OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def make_top_folder(root: str, person: Person) -> bool:
    """Make <root>/<person> for the person and tell whether it is new.

    Root works in <root> alone, which must be its own; a folder that belongs to
    somebody already is not even opened.
    """
    base = os.open(root, OPEN_FOLDER)
    info = os.fstat(base)
    if info.st_uid != 0 or (info.st_mode & 0o022 and not info.st_mode & stat.S_ISVTX):
        raise Refused(
            f"{root} must be root's and, unless sticky, writable by root only"
        )
    try:
        os.mkdir(person.name, 0o700, dir_fd=base)
    except FileExistsError:
        info = os.stat(person.name, dir_fd=base, follow_symlinks=False)
        if not stat.S_ISDIR(info.st_mode):
            raise Refused(f"{root}/{person.name} exists and is not a folder") from None
        if info.st_uid == person.uid:
            return False
        if info.st_uid != 0:
            raise Refused(f"{root}/{person.name} is uid {info.st_uid}'s") from None
    # Root's own now: new, or left by a call that was killed right here.
    top = os.open(person.name, OPEN_FOLDER, dir_fd=base)
    owner = os.fstat(top).st_uid
    if owner == person.uid:
        return False  # another call was quicker
    if owner != 0 or any(os.scandir(top)):
        raise Refused(f"{root}/{person.name} is root's and not empty")
    os.fchown(top, person.uid, person.gid)
    return True


def fill_top_folder(path: str, is_new: bool) -> int:
    """Make what belongs into every person's scratch folder; runs as the person."""
    made, existed = ([path], []) if is_new else ([], [path])
    top = os.open(path, OPEN_FOLDER)
    for name in SCRATCH_FOLDERS:
        try:
            os.mkdir(name, 0o700, dir_fd=top)
            made.append(f"{path}/{name}")
        except FileExistsError:
            if not stat.S_ISDIR(os.stat(name, dir_fd=top).st_mode):
                raise NotADirectoryError(f"{path}/{name} is not a folder") from None
            existed.append(f"{path}/{name}")
    write_all(1, json.dumps({"made": made, "existed": existed}).encode())
    return 0


# --- Secrets: files in <scratch>/<person>/kqi/secrets; all of it runs as the person ---


def open_secrets(config: Config, person: Person, make: bool) -> int:
    """Open the folder step by step: each the person's own, none of them a link."""
    place = os.open(config.scratch_root, OPEN_FOLDER)
    for name in (person.name, "kqi", "secrets"):
        if make and name != person.name:
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=place)
        place = os.open(name, OPEN_FOLDER, dir_fd=place)
        if os.fstat(place).st_uid != person.uid:
            raise PermissionError(
                f"{name} on the way to the secrets is somebody else's"
            )
    os.fchmod(place, 0o700)
    return place


def keep_secret(config: Config, person: Person, name: str, raw: bytes) -> int:
    """Write or replace a secret: all of it is there afterwards, or nothing new is."""
    try:
        folder = open_secrets(config, person, make=True)
        draft = f".{os.urandom(8).hex()}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(draft, flags, 0o600, dir_fd=folder)
        try:
            write_all(file, raw)
            os.fsync(file)
            os.close(file)  # here NFS tells of a quota
            os.replace(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            os.unlink(draft, dir_fd=folder)
            raise
    except OSError as error:
        place = f"{config.scratch_root}/{person.name}/kqi/secrets"
        raise OSError(f"no secret written in {place}: {error}") from None
    return 0


def drop_secrets(config: Config, person: Person, names: list[str]) -> int:
    """Remove secrets; one that is not there is as good as removed."""
    with contextlib.suppress(FileNotFoundError):
        folder = open_secrets(config, person, make=False)
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)
    return 0


# --- Agents: one program of the operator's for each person, which outlives the call ---

AGENT_START_S = 15
AGENT_STOP_S = 5
AGENT_SAYS = "listening"  # its last line on stdout, which it then closes
# What it lives under, and what its own children may raise it to: an installer of conda
# packages maps more than an agent ever should.
AGENT_LIMITS = (
    (resource.RLIMIT_AS, (1024 * MIB, 8192 * MIB)),
    (resource.RLIMIT_NOFILE, (1024, 4096)),
)


def start_agent(command: tuple[str, ...], surroundings: dict[str, str]) -> int:
    """Start the agent in a session of its own and tell which process it is.

    It finds its instructions on standard input. An agent whose starter is ended
    before it listens has nobody to say so to, and ends.
    """
    for kind, (soft, hard) in AGENT_LIMITS:
        most = resource.getrlimit(kind)[1]
        if most != resource.RLIM_INFINITY:
            soft, hard = min(soft, most), min(hard, most)
        resource.setrlimit(kind, (soft, hard))
    told, tell = os.pipe()
    output = [(os.POSIX_SPAWN_DUP2, tell, place) for place in (1, 2)]
    pid = os.posix_spawn(
        command[0], command, surroundings, file_actions=output, setsid=True
    )
    os.close(tell)
    said, until = b"", time.monotonic() + AGENT_START_S
    while select.select([told], (), (), max(0, until - time.monotonic()))[0]:
        chunk = os.read(told, 4096)
        said = (said + chunk)[-4096:]
        if not chunk:
            break
    lines = said.decode(errors="replace").split("\n")[:-1] or ["it said nothing"]
    if lines[-1] != AGENT_SAYS:
        end_session(pid, signal.SIGKILL)
        raise OSError(f"the agent does not listen: {lines[-1]}")
    write_all(1, json.dumps({"pid": pid, "began": began(pid)}).encode())
    return 0


def stop_agent(command: tuple[str, ...], pid: int, when: int) -> int:
    """End the person's agent politely, then not; one that is gone is no error."""
    with contextlib.suppress(ProcessLookupError, FileNotFoundError):
        process = os.pidfd_open(pid)
        runs = Path(f"/proc/{pid}/cmdline").read_bytes()
        if began(pid) != when or not runs:
            return 0  # long gone: the number is somebody else's now, or a zombie's
        if runs != b"".join(os.fsencode(word) + b"\0" for word in command):
            raise PermissionError(f"process {pid} is not the agent that was meant")
        for number in (signal.SIGTERM, signal.SIGKILL):
            signal.pidfd_send_signal(process, number)
            if select.select([process], (), (), AGENT_STOP_S)[0]:
                break
    return 0


def began(pid: int) -> int:
    """Return when a process began, in the kernel's ticks: a pid comes again, not so."""
    return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[19])


# --- Verbs: the closed list of what may be asked -------------------------------------

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run as the person: a program with its input, or a function of ours."""

    argv: tuple[str, ...] = ()
    stdin: bytes = b""
    work: Callable[[], int] | None = None
    first: Callable[[], int] | None = None  # before argv; if it fails, argv never runs


@dataclass(frozen=True, slots=True)
class Verb:
    """A row of the table: the fields and their checks, what to run, what to log."""

    fields: Mapping[str, Check]
    plan: Callable[[Config, Person, Fields], Plan]
    logged: tuple[str, ...] = ()
    optional: frozenset[str] = frozenset()


def plan_submit(config: Config, person: Person, given: Fields) -> Plan:
    """Submit a script given by value, with nothing of our surroundings in the job.

    Its secret, if there is one, lies in the person's scratch folder before that.
    """
    argv = [f"{config.slurm_bin}/sbatch", "--parsable", "--export=NIL"]
    argv.append("--propagate=NONE")  # our limits are not the job's
    argv += [f"--job-name={given['name']}", f"--chdir={given['chdir']}"]
    if given.get("comment"):
        argv.append(f"--comment={given['comment']}")
    if "secret" not in given:
        return Plan(tuple(argv), stdin=given["script"])
    name = secret_name(given["name"])
    keep = functools.partial(keep_secret, config, person, name, given["secret"])
    return Plan(tuple(argv), stdin=given["script"], first=keep)


def plan_cancel(config: Config, _: Person, given: Fields) -> Plan:
    """Cancel jobs."""
    return Plan((f"{config.slurm_bin}/scancel", *given["job_ids"]))


def plan_signal(config: Config, _: Person, given: Fields) -> Plan:
    """Send a signal to a job's script and steps."""
    scancel = f"{config.slurm_bin}/scancel"
    return Plan((scancel, f"--signal={given['name']}", "--full", given["job_id"]))


def plan_control(config: Config, _: Person, given: Fields) -> Plan:
    """Hold, release or requeue a job."""
    return Plan((f"{config.slurm_bin}/scontrol", given["action"], given["job_id"]))


def plan_time_limit(config: Config, _: Person, given: Fields) -> Plan:
    """Change a job's time limit; Slurm counts minutes, so a part of one is a whole."""
    job, limit = f"JobId={given['job_id']}", f"TimeLimit={-(-given['seconds'] // 60)}"
    return Plan((f"{config.slurm_bin}/scontrol", "update", job, limit))


def plan_make_scratch(config: Config, person: Person, _: Fields) -> Plan:
    """Make the top folder now, as root; the rest is the person's work."""
    is_new = make_top_folder(config.scratch_root, person)
    path = f"{config.scratch_root}/{person.name}"
    return Plan(work=lambda: fill_top_folder(path, is_new))


def plan_put_secret(config: Config, person: Person, given: Fields) -> Plan:
    """Write or replace a job's secret."""
    name, raw = given["name"], given["text"]
    return Plan(work=lambda: keep_secret(config, person, name, raw))


def plan_drop_secret(config: Config, person: Person, given: Fields) -> Plan:
    """Remove jobs' secrets."""
    return Plan(work=lambda: drop_secrets(config, person, given["names"]))


def plan_start_agent(config: Config, person: Person, given: Fields) -> Plan:
    """Start the operator's agent; the caller decides what it reads, never what runs."""
    command, surroundings = (
        program(config, "agent_command"),
        environment(config, person),
    )
    return Plan(stdin=given["text"], work=lambda: start_agent(command, surroundings))


def plan_stop_agent(config: Config, _: Person, given: Fields) -> Plan:
    """Stop an agent of the person's."""
    command = program(config, "agent_command")
    return Plan(work=lambda: stop_agent(command, given["pid"], given["began"]))


def plan_runs(deed: str, config: Config, person: Person, given: Fields) -> Plan:
    """Let the operator's program look after folders of the person's runs."""
    place = f"{config.scratch_root}/{person.name}/kqi"
    order = json.dumps({"deed": deed, "place": place, **given}).encode()
    return Plan(program(config, "collect_command"), stdin=order)


def program(config: Config, key: str) -> tuple[str, ...]:
    """Return a command of the operator's, if this site has it."""
    command: tuple[str, ...] = getattr(config, key)
    if not command or not is_plain_path(command[0]):
        raise Refused(f"{key} in the helper's configuration names no program")
    return command


RUN_FOLDERS: Mapping[str, Check] = {"folders": many(run_folder, "folders")}
VERBS: Mapping[str, Verb] = {
    "submit": Verb(
        {
            "name": job_name,
            "script": script,
            "chdir": absolute_path,
            "comment": comment,
            "secret": secret,
        },
        plan_submit,
        logged=("name", "chdir"),
        optional=frozenset({"comment", "secret"}),
    ),
    "cancel": Verb({"job_ids": many(job_id, "job numbers")}, plan_cancel, ("job_ids",)),
    "signal": Verb(
        {"job_id": job_id, "name": signal_name}, plan_signal, ("job_id", "name")
    ),
    "control": Verb(
        {"job_id": job_id, "action": action}, plan_control, ("job_id", "action")
    ),
    "time-limit": Verb(
        {"job_id": job_id, "seconds": number(1, YEAR_S)},
        plan_time_limit,
        ("job_id", "seconds"),
    ),
    "make-scratch": Verb({}, plan_make_scratch),
    "put-secret": Verb(
        {"name": secret_name, "text": secret}, plan_put_secret, ("name",)
    ),
    "drop-secret": Verb(
        {"names": many(secret_name, "names")}, plan_drop_secret, ("names",)
    ),
    "start-agent": Verb({"text": secret}, plan_start_agent),
    "stop-agent": Verb(
        {"pid": number(2, 2**22), "began": number(1, 2**53)}, plan_stop_agent, ("pid",)
    ),
    "collect": Verb(RUN_FOLDERS, functools.partial(plan_runs, "collect"), ("folders",)),
    "remove-runs": Verb(
        RUN_FOLDERS, functools.partial(plan_runs, "remove"), ("folders",)
    ),
    "offer-output": Verb(
        {
            "folder": run_folder,
            "name": output_name,
            "ticket": ticket,
            "after": relative_path,
        },
        functools.partial(plan_runs, "offer"),
        logged=("folder",),
        optional=frozenset({"after"}),
    ),
}


def check_fields(verb: Verb, given: object) -> dict[str, Any]:
    """Return the checked fields; each must be there, none may be unknown."""
    if type(given) is not dict:
        raise Refused("arguments: expected an object")
    if unknown := set(given) - set(verb.fields):
        raise Refused(f"arguments: unknown field {shown(min(unknown))}")
    if missing := set(verb.fields) - set(given) - verb.optional:
        raise Refused(f"arguments: {min(missing)} is missing")
    checked = {}
    for key, value in given.items():
        try:
            checked[key] = verb.fields[key](value)
        except Refused as refusal:
            raise Refused(f"{key}: {refusal}") from None
    return checked


# --- Becoming somebody: after this nothing can be asked of root ----------------------

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
PROGRAM_PATH = "/usr/local/bin:/usr/bin:/bin"
GATE_FD = 3  # says why a program did not start; its start closes it
LIBC = ctypes.CDLL(None, use_errno=True)


def prctl(option: int, value: int) -> None:
    """Set a property of this process."""
    if LIBC.prctl(option, *map(ctypes.c_ulong, (value, 0, 0, 0))) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) failed")


def become(person: Person) -> None:
    """Turn this process into the person's, in a session of its own, for good."""
    os.setsid()
    os.chdir("/")
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.setgroups(person.groups)  # initgroups, with the groups that were checked
    os.setresgid(person.gid, person.gid, person.gid)
    os.setresuid(person.uid, person.uid, person.uid)
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    prctl(PR_SET_DUMPABLE, 0)
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # nothing runs on without its supervisor
    ids = (os.getresuid(), os.getresgid(), set(os.getgroups()))
    if ids != ((person.uid,) * 3, (person.gid,) * 3, set(person.groups)):
        raise PermissionError(f"this process did not turn into {person.name}'s")
    for regain in (os.setuid, os.seteuid, os.setgid, os.setegid):
        try:
            regain(0)
        except PermissionError:
            continue
        raise PermissionError(f"{regain.__name__} gave root's rights back")


def environment(config: Config, person: Person) -> dict[str, str]:
    """Build the program's surroundings from nothing."""
    made = {"HOME": person.home, "USER": person.name, "LOGNAME": person.name}
    made |= {"SHELL": person.shell, "LANG": "C.UTF-8", "PATH": PROGRAM_PATH}
    return made | ({"SLURM_CONF": config.slurm_conf} if config.slurm_conf else {})


def run_child(config: Config, person: Person, plan: Plan, ends: list[int]) -> NoReturn:
    """Become the person and run the plan; why that failed goes through the gate."""
    complain_to, code = GATE_FD, EXIT_BROKEN
    try:
        for place, end in enumerate(ends):  # stdin, stdout, stderr, gate
            os.dup2(end, place)
        os.set_inheritable(GATE_FD, False)
        os.closerange(GATE_FD + 1, os.sysconf("SC_OPEN_MAX"))
        signal.set_wakeup_fd(-1)
        for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        become(person)
        if plan.first is not None:
            plan.first()
        if plan.work is None:
            surroundings = environment(config, person)
            os.execve(plan.argv[0], plan.argv, surroundings)  # noqa: S606 - no shell
        os.close(GATE_FD)
        complain_to, code = 2, 1
        code = plan.work()
    except BaseException as error:  # noqa: BLE001 - a fork must never return into root
        write_all(complain_to, str(error).encode(errors="replace"))
    finally:
        os._exit(code)


# --- Supervision: limits on time and output ------------------------------------------


def run_as(config: Config, person: Person, plan: Plan) -> dict[str, Any]:
    """Run the plan as the person and return the answer for the caller."""
    stdin = os.memfd_create("stdin")
    write_all(stdin, plan.stdin)
    os.lseek(stdin, 0, os.SEEK_SET)
    pipes = [os.pipe() for _ in ("stdout", "stderr", "gate")]
    pid = os.fork()
    if pid == 0:
        run_child(config, person, plan, [stdin, *(write for _, write in pipes)])
    for _, write in pipes:
        os.close(write)
    return supervise(config, pid, [read for read, _ in pipes])


def supervise(config: Config, pid: int, pipes: list[int]) -> dict[str, Any]:
    """Collect output until the program has ended, or until its time is up."""
    kept = {pipe: bytearray() for pipe in pipes}
    live, limit = set(pipes), config.output_limit_bytes
    steps = [signal.SIGTERM, signal.SIGKILL]
    until, ended = time.monotonic() + config.time_limit_s, False
    while live or not ended:
        if not ended and os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            ended, until = True, time.monotonic() + LINGER_S
        if time.monotonic() > until:
            if ended or not steps:  # no step is left when not even KILL ends it
                break
            end_session(pid, steps.pop(0))
            until = time.monotonic() + KILL_GRACE_S
        read_some(live, kept, limit)
    end_session(pid, signal.SIGKILL)  # what it left; not reaped yet, the pid is ours
    reaped, status = os.waitpid(pid, os.WNOHANG)
    stdout, stderr, gate = (kept[p][:limit].decode(errors="replace") for p in pipes)
    if gate:
        raise Refused(f"not started: {gate}")
    code = os.waitstatus_to_exitcode(status) if reaped else -signal.SIGKILL
    answer = answered(code, stdout, stderr)
    answer["truncated"] = any(len(kept[pipe]) > limit for pipe in pipes)
    answer["timed_out"] = len(steps) < 2
    return answer


def answered(exit_code: int, stdout: str, stderr: str = "") -> dict[str, Any]:
    """Return an answer's form."""
    said = {"ok": True, "exit_code": exit_code, "stdout": stdout, "stderr": stderr}
    return {**said, "timed_out": False, "truncated": False}


def read_some(live: set[int], kept: dict[int, bytearray], limit: int) -> None:
    """Read what has come; keep one byte more than the limit, to know of it."""
    if not live:
        time.sleep(0.002)
        return
    for pipe in select.select(live, (), (), 0.02)[0]:
        chunk = os.read(pipe, 65536)
        kept[pipe] += chunk[: limit + 1 - len(kept[pipe])]
        if not chunk:
            live.remove(pipe)


def end_session(pid: int, number: signal.Signals) -> None:
    """Signal a program and what it started, as long as they stayed together."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return  # it ended before it had a session


def write_all(fd: int, data: bytes) -> None:
    """Write all of it, however little the other end takes at a time."""
    while data:
        data = data[os.write(fd, data) :]


# --- One call, and its line of ASCII JSON in the log, which nobody can forge ---------

REQUEST_KEYS = ("verb", "person", "arguments")


def handle(config: Config, caller: int, source: int, target: int) -> None:
    """Answer one call: read it from `source`, write the answer to `target`."""
    signal.alarm(REQUEST_TIMEOUT_S + config.time_limit_s + SPARE_S)
    began = time.monotonic()
    record: dict[str, Any] = {"caller": caller}
    try:
        request = read_request(config, caller, source)
        answer = perform(config, request, target, record)
        ending = "timed out" if answer["timed_out"] else f"exit {answer['exit_code']}"
    except Refused as refusal:
        answer = {"ok": False, "error": "refused", "message": str(refusal)}
        ending = f"refused: {refusal}"
    record["ms"] = round((time.monotonic() - began) * 1000)
    audit(config, {**record, "outcome": ending})
    signal.alarm(ANSWER_TIMEOUT_S)
    try:
        write_all(target, json.dumps(answer, ensure_ascii=False).encode() + b"\n")
    except BrokenPipeError:
        return  # the caller has gone; the log says what happened


def read_request(config: Config, caller: int, source: int) -> dict[str, Any]:
    """Read an allowed caller's request and check its outer form."""
    if caller not in caller_uids(config):
        raise Refused(f"uid {caller} may not call this helper")
    try:
        request = json.loads(read_line(source).decode())
    except (ValueError, RecursionError):
        raise Refused("the request is not one line of UTF-8 JSON") from None
    if type(request) is not dict or set(request) != set(REQUEST_KEYS):
        raise Refused(f"the request must have exactly {', '.join(REQUEST_KEYS)}")
    return request


def read_line(source: int) -> bytes:
    """Read one line, whole, soon and of bearable size."""
    deadline, line = time.monotonic() + REQUEST_TIMEOUT_S, b""
    while not line.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([source], (), (), left)[0]:
            raise Refused(f"the request was not complete after {REQUEST_TIMEOUT_S} s")
        chunk = os.read(source, MIB)
        if not chunk:
            raise Refused("the caller hung up before the end of its request")
        line += chunk
        if len(line) > REQUEST_LIMIT_BYTES:
            raise Refused(f"the request is longer than {REQUEST_LIMIT_BYTES} bytes")
    return line


def perform(
    config: Config, request: Fields, target: int, record: dict[str, Any]
) -> dict[str, Any]:
    """Do what a request asks, and note in `record` what may be logged of it."""
    name, person_name, given = (request[key] for key in REQUEST_KEYS)
    record |= {"person": shown(person_name), "verb": shown(name)}
    if name == "ping" and person_name == "" and given == {}:
        record |= {"person": "", "verb": "ping"}
        return answered(0, json.dumps({"version": VERSION, "verbs": sorted(VERBS)}))
    if type(name) is not str or name not in VERBS:
        raise Refused(f"verb: expected one of {', '.join(VERBS)}, got {shown(name)}")
    checked = check_fields(VERBS[name], given)
    record |= {key: checked[key] for key in VERBS[name].logged}
    person = find_person(config, person_name)
    record |= {"person": person.name, "verb": name}  # known now: without quotes
    if has_hung_up(target):
        raise Refused("the caller hung up before its call began")
    try:
        plan = VERBS[name].plan(config, person, checked)
    except OSError as error:
        raise Refused(f"{name}: {error}") from None
    return run_as(config, person, plan)


def has_hung_up(target: int) -> bool:
    """Tell whether nobody waits for the answer any more."""
    poll = select.poll()
    poll.register(target, 0)
    return any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll(0))


def audit(config: Config, record: Fields) -> None:
    """Write one line to the log file, or else to syslog."""
    line = json.dumps({"time": time.strftime("%FT%TZ", time.gmtime()), **record})
    try:
        if config.log_file:
            log = open_log(config.log_file)
            os.write(log, f"{line}\n".encode())
            return os.close(log)
    except OSError as error:
        line = f"{line} (not in {config.log_file}: {error})"
    return syslog.syslog(syslog.LOG_NOTICE, line)


def audit_end(config: Config, caller: int, code: int) -> int:
    """Write a line for a call that ended without having answered."""
    if code != 0:
        audit(config, {"caller": caller, "outcome": f"broken off: {code}"})
    return code


def open_log(path: str) -> int:
    """Open the log, for each line anew, so that it may be rotated."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(path, flags, 0o600)


# --- The two ways in -----------------------------------------------------------------


def serve(config: Config) -> None:
    """Answer calls on the socket, each in a process of its own, until SIGTERM."""
    listener = listen(config)
    wake, wake_end = socket.socketpair()
    wake_end.setblocking(False)
    signal.set_wakeup_fd(wake_end.fileno(), warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # they end select through `wake`
    children: dict[int, int] = {}
    while True:
        # When the house is full, callers wait in the kernel's queue.
        room = len(children) < config.max_children
        ready = select.select([wake, listener] if room else [wake], (), ())[0]
        if wake in ready and {signal.SIGTERM, signal.SIGINT} & set(wake.recv(4096)):
            break
        reap(config, children)
        if listener in ready:
            admit(config, listener, children)
    Path(config.socket).unlink(missing_ok=True)
    listener.close()
    deadline = time.monotonic() + STOP_GRACE_S
    while children and time.monotonic() < deadline:
        time.sleep(0.05)
        reap(config, children)


def listen(config: Config) -> socket.socket:
    """Open the socket for root and the first caller's group."""
    path = Path(config.socket)
    require_trusted(config.socket)
    with socket.socket(socket.AF_UNIX) as probe:
        failure = probe.connect_ex(config.socket)
    if failure == 0:
        raise ConfigError(f"{path}: another helper answers there")
    if failure == errno.ECONNREFUSED and path.is_socket():
        path.unlink()  # left behind by a helper that was killed
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(config.socket)
    os.chown(path, 0, pwd.getpwnam(config.callers[0]).pw_gid)
    path.chmod(0o660)
    listener.listen(128)
    return listener


def admit(config: Config, listener: socket.socket, children: dict[int, int]) -> None:
    """Take one connection and leave it to a new process."""
    connection, _ = listener.accept()
    with connection:
        option = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        _, caller, _ = struct.unpack("iII", option)
        try:
            pid = os.fork()
        except OSError as error:  # too many processes: the caller sees no answer
            return audit(config, {"caller": caller, "outcome": f"not begun: {error}"})
        if pid != 0:
            children[pid] = caller
            return None
        try:
            listener.close()
            signal.set_wakeup_fd(-1)
            os._exit(call(config, caller, connection.fileno(), connection.fileno()))
        finally:
            os._exit(EXIT_BROKEN)


def call(config: Config, caller: int, source: int, target: int) -> int:
    """Handle one call that no polite signal cuts short, and return the exit code."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for number in (signal.SIGCHLD, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    try:
        handle(config, caller, source, target)
    except Exception:  # noqa: BLE001 - whatever it was, the caller sees no answer
        traceback.print_exc()
        return EXIT_BROKEN
    return 0


def reap(config: Config, children: dict[int, int]) -> None:
    """Bury children that have ended, and log those that gave no answer."""
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        audit_end(config, children.pop(pid), os.waitstatus_to_exitcode(status))


def main() -> int:
    """Run `serve --config FILE` as a daemon, or `once --config FILE` under sudo."""
    os.umask(0o077)
    while (spare := os.open(os.devnull, os.O_RDWR)) < GATE_FD:
        continue  # a closed stdin, stdout or stderr must not become a pipe of ours
    os.close(spare)
    try:
        return start(sys.argv[1:])
    except (ConfigError, OSError, ValueError) as error:
        write_all(2, f"kqi-runas: {error}\n".encode(errors="replace"))
        return EXIT_CONFIG


def start(arguments: list[str]) -> int:
    """Check the set-up, then take calls."""
    mode, option, path = arguments if len(arguments) == 3 else ("", "", "")
    if mode not in ("serve", "once") or option != "--config":
        write_all(2, b"usage: python3 -I helper.py serve|once --config FILE\n")
        return EXIT_USAGE
    if os.getresuid() != (0, 0, 0) or not sys.flags.isolated:
        raise ConfigError("run me as root, by `python3 -I`")
    config = load_config(path)
    require_trusted(config.scratch_root)
    caller_uids(config)
    syslog.openlog("kqi-runas", syslog.LOG_PID, syslog.LOG_AUTH)
    if config.log_file:
        require_trusted(config.log_file, levels=1)
        os.close(open_log(config.log_file))
    if mode == "once":
        # Root itself, without sudo, is uid 0 like anybody else: a caller or not.
        caller = int(os.environ.get("SUDO_UID", "0"))
        return audit_end(config, caller, call(config, caller, 0, 1))
    serve(config)
    return 0


if __name__ == "__main__":
    sys.exit(main())
