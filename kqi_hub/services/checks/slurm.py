"""What must be true of Slurm: pure judgements over what its programs say."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from kqi_hub.domain.cluster import Node
from kqi_hub.domain.health import ClusterRecord, Credential, Process
from kqi_hub.services.checks.finding import Finding, fail, ok, warn

CONTROLLER: Final = "slurm controller"
VERSION: Final = "slurm version"
NODES: Final = "slurm nodes"
ACCOUNTING: Final = "slurm accounting"
ENFORCED: Final = "slurm limits"
PRIVATE: Final = "slurm privacy"
REMEMBERS: Final = "slurm memory of jobs"
CLOCK: Final = "clock"
MUNGE: Final = "munge"

OLDEST: Final = (22, 5)
CLOCK_WARN_S: Final = 5.0
# munge refuses credentials that are more than five minutes off.
CLOCK_FAIL_S: Final = 120.0
SHOWN_NODES: Final = 5
_SETTING: Final = "in slurm.conf, then restart slurmctld"


def judge_controller(config: Mapping[str, str]) -> Finding:
    """Name the controller that answered."""
    name = config.get("ClusterName", "")
    return ok(CONTROLLER, f"answers for cluster {name or 'without a name'}")


def judge_version(client: str, config: Mapping[str, str]) -> Finding:
    """Compare the version of the programs here, the controller's, and the oldest."""
    server = config.get("SLURM_VERSION", "")
    release = _release(server or client)
    if release is None:
        todo = "Look at `scontrol show config`: SLURM_VERSION should be there."
        return warn(VERSION, f"unknown: {client!r}", todo)
    if release < OLDEST:
        todo = "Upgrade: older releases have known security faults and are not tried."
        return warn(VERSION, f"{server or client}, older than 22.05", todo)
    if server and _release(client) != release:
        todo = "Install the controller's release on this machine."
        return warn(VERSION, f"{server}, but the programs here are {client}", todo)
    return ok(VERSION, server or client)


def judge_nodes(nodes: Sequence[Node]) -> Finding:
    """Count the nodes on which jobs can start and name some of the others."""
    if not nodes:
        return fail(NODES, "there are none", "Check NodeName= in slurm.conf.")
    closed = [node for node in nodes if node.is_down]
    if not closed:
        return ok(NODES, f"{len(nodes)} of {len(nodes)} take jobs")
    names = ", ".join(_with_reason(node) for node in closed[:SHOWN_NODES])
    more = ", …" if len(closed) > SHOWN_NODES else ""
    seen = f"{len(nodes) - len(closed)} of {len(nodes)} take jobs; not {names}{more}"
    todo = "See `sinfo -R` and slurmd's log on them."
    return (fail if len(closed) == len(nodes) else warn)(NODES, seen, todo)


def judge_accounting(
    cluster: str, config: Mapping[str, str], known: Sequence[ClusterRecord]
) -> Finding:
    """Look for the cluster in accounting, and for its controller's registration."""
    real = config.get("ClusterName", cluster)
    if real != cluster:
        todo = f'Set name = "{real}" under [cluster] in the settings.'
        seen = f"the settings say cluster {cluster}, Slurm says {real}"
        return fail(ACCOUNTING, seen, todo)
    mine = next((record for record in known if record.name == cluster), None)
    if mine is None:
        todo = f"Run: sacctmgr add cluster {cluster}"
        return fail(ACCOUNTING, f"slurmdbd answers and knows no {cluster}", todo)
    if not mine.control_host:
        todo = "Look for accounting_storage errors in slurmctld's log."
        seen = "slurmdbd answers; slurmctld has not registered with it"
        return warn(ACCOUNTING, seen, todo)
    return ok(ACCOUNTING, "slurmdbd answers, slurmctld is registered")


def judge_enforcement(config: Mapping[str, str]) -> Finding:
    """Insist on associations, for tenants and quotas are made of them."""
    words = _words(config.get("AccountingStorageEnforce", ""))
    seen = ", ".join(sorted(words)) or "nothing is enforced"
    line = "AccountingStorageEnforce=associations,limits,qos,safe"
    if "associations" not in words:
        seen = f"{seen}: people without an account may submit"
        return fail(ENFORCED, seen, f"Set {line} {_SETTING}.")
    if missing := {"limits", "qos"} - words:
        seen = f"{seen}: not held to {' and '.join(sorted(missing))}"
        return warn(ENFORCED, seen, f"Set {line} {_SETTING}.")
    return ok(ENFORCED, seen)


def judge_privacy(
    config: Mapping[str, str],
    accounting: Mapping[str, str],
    process: Process,
    admin_level: str,
) -> Finding:
    """Find PrivateData that would hide other people's jobs from the portal."""
    hidden = _words(config.get("PrivateData", "")) & {"jobs", "nodes", "partitions"}
    billed = _words(accounting.get("PrivateData", "")) & {"jobs", "usage", "accounts"}
    if not hidden and not billed:
        return ok(PRIVATE, "PrivateData hides nothing that the portal reads")
    seen = f"PrivateData hides {', '.join(sorted(hidden | billed))}"
    sees_all = admin_level in ("Administrator", "Operator")
    if process.uid == 0 or sees_all or process.user == _user(config):
        return ok(PRIVATE, f"{seen}; {process.user} sees it all the same")
    # sacctmgr can only modify whom it knows, and adds nobody without an account.
    known = f"modify user {process.user} set adminlevel=operator"
    unknown = f"add user {process.user} account=root adminlevel=operator"
    todo = f"Run: sacctmgr {known if admin_level else unknown}"
    return fail(PRIVATE, f"{seen} from {process.user}", todo)


def judge_memory(config: Mapping[str, str], longest_look_s: float) -> Finding:
    """See that slurmctld remembers ended jobs until the next look."""
    text = config.get("MinJobAge", "")
    found = re.match(r"\d+", text)
    if found is None:
        return warn(REMEMBERS, "MinJobAge is unknown", "See `scontrol show config`.")
    age_s = int(found.group())
    if age_s <= longest_look_s:
        seen = f"ended jobs are forgotten after {age_s} s, looks may be "
        seen += f"{longest_look_s:g} s apart: accounting is asked about each"
        todo = f"Set MinJobAge=300 {_SETTING}."
        return warn(REMEMBERS, seen, todo)
    return ok(REMEMBERS, f"ended jobs are remembered for {age_s} s")


def judge_clock(controller_at: float, asked_at: float, answered_at: float) -> Finding:
    """Compare the controller's clock with ours at the middle of the question."""
    ahead_s = controller_at - (asked_at + answered_at) / 2
    # The controller tells whole seconds, and the answer took a while.
    unsure_s = 1.0 + (answered_at - asked_at) / 2
    off_s = max(0.0, abs(ahead_s) - unsure_s)
    if off_s <= CLOCK_WARN_S:
        return ok(CLOCK, "this machine and the controller agree")
    side = "ahead of" if ahead_s > 0 else "behind"
    seen = f"the controller is {abs(ahead_s):.0f} s {side} this machine"
    todo = "Let chrony or ntpd set both; munge refuses what is 5 min off."
    return (fail if off_s > CLOCK_FAIL_S else warn)(CLOCK, seen, todo)


def judge_munge(credential: Credential, process: Process) -> Finding:
    """Read what munge made of its own credential."""
    if not credential.status.startswith("Success"):
        todo = "See `systemctl status munge` and that all machines share one key."
        return fail(MUNGE, credential.status or "said nothing", todo)
    if credential.uid is not None and credential.uid != process.uid:
        todo = "Somebody answers in munge's place: look at its socket's owner."
        seen = f"a credential of uid {process.uid} came back as {credential.uid}"
        return fail(MUNGE, seen, todo)
    return ok(MUNGE, f"makes and opens credentials for {process.user}")


def _release(text: str) -> tuple[int, int] | None:
    found = re.search(r"(\d+)\.(\d+)", text)
    return (int(found.group(1)), int(found.group(2))) if found else None


def _with_reason(node: Node) -> str:
    why = node.reason.split("\n")[0][:60] or " ".join([node.state, *node.flags])
    return f"{node.name} ({why})"


def _words(text: str) -> set[str]:
    words = {word.strip().lower() for word in text.split(",")}
    return words - {"", "none", "(null)"}


def _user(config: Mapping[str, str]) -> str:
    return config.get("SlurmUser", "").partition("(")[0]
