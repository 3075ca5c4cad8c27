"""The cluster: its nodes, queues and limits, and the files that Slurm reads."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kqi_hub.devstack import layout
from kqi_hub.devstack.people import PEOPLE

NOTEBOOKS_PER_NODE = 10
CTLD_STATE = Path("/var/lib/slurm/ctld")
SPOOL = Path("/var/lib/slurm/spool")
GPU_FILES = Path("/run/slurm/gpu")
JWT_KEY = Path("/etc/slurm/jwt_hs256.key")


@dataclass(frozen=True, slots=True)
class Node:
    """A pretended machine: one slurmd each."""

    name: str
    cores: int
    memory_mb: int
    gpu_type: str = ""
    gpus: int = 0
    notebooks: int = 0

    @property
    def gres(self) -> str:
        """Return it as NodeName's Gres= has it."""
        parts = [f"gpu:{self.gpu_type}:{self.gpus}"] if self.gpus else []
        if self.notebooks:
            parts.append(f"shard:{self.notebooks}")
        return ",".join(parts)


NODES = (
    Node("jup01", 40, 192_000, "v100", 1, NOTEBOOKS_PER_NODE),
    Node("jup02", 40, 192_000, "v100", 1, NOTEBOOKS_PER_NODE),
    Node("v100-01", 40, 384_000, "v100", 4),
    Node("v100-02", 40, 384_000, "v100", 4),
    Node("a100-01", 64, 1_024_000, "a100", 8),
    Node("cpu01", 64, 256_000),
    Node("cpu02", 64, 256_000),
)
NODE_NAMES = tuple(node.name for node in NODES)

# `jupyter` costs nothing. The others are billed in units of about one core-hour.
_PARTITIONS = (
    "PartitionName=jupyter Nodes=jup[01-02] Default=YES QOS=jupyter MaxNodes=1"
    " MaxTime=08:00:00 DefaultTime=01:00:00 DefMemPerCPU=4000"
    ' TRESBillingWeights="CPU=0,Mem=0,GRES/gpu=0"',
    "PartitionName=v100 Nodes=v100-[01-02] OverSubscribe=EXCLUSIVE"
    " MaxTime=7-00:00:00 DefaultTime=1-00:00:00"
    ' TRESBillingWeights="CPU=1,Mem=0.1G,GRES/gpu=100"',
    "PartitionName=a100 Nodes=a100-01 OverSubscribe=EXCLUSIVE"
    " MaxTime=7-00:00:00 DefaultTime=1-00:00:00"
    ' TRESBillingWeights="CPU=1,Mem=0.1G,GRES/gpu=300"',
    "PartitionName=cpu Nodes=cpu[01-02] MaxTime=7-00:00:00 DefaultTime=1-00:00:00"
    ' DefMemPerCPU=4000 TRESBillingWeights="CPU=1,Mem=0.1G"',
)

_SLURM_CONF = """\
# Written by ./demo at every start. Additions: the demo's folder, local/slurm.conf.
ClusterName={cluster}
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={slurmctld}
SlurmUser=slurm
SlurmdUser=root
AuthType=auth/munge
AuthAltTypes=auth/jwt
AuthAltParameters=jwt_key={jwt_key}
# Loopback only: the daemons bind to what the host's name means here, 127.0.0.1.
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={state}
SlurmctldPidFile=/run/slurm/slurmctld.pid
SlurmdPidFile=/run/slurm/slurmd-%n.pid
SlurmdSpoolDir={spool}/%n
SlurmdParameters=config_overrides
TmpFS={tmp}
TaskProlog=/etc/slurm/task_prolog
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
PropagateResourceLimits=NONE
ReturnToService=2
SlurmdTimeout=60
KillWait=10
GresTypes=gpu,shard
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=2,bf_interval=2
JobSubmitPlugins=lua
PriorityType=priority/multifactor
PriorityWeightAge=1000
PriorityWeightFairshare=10000
PriorityWeightQOS=100000
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=5
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={slurmdbd}
AccountingStorageEnforce=associations,limits,qos,safe
AccountingStoreFlags=job_comment,job_script,job_env
AccountingStorageTRES=gres/gpu,gres/gpu:v100,gres/gpu:a100,gres/shard
{nodes}
{partitions}
Include /etc/slurm/local.conf
"""

_SLURMDBD_CONF = """\
AuthType=auth/munge
AuthAltTypes=auth/jwt
AuthAltParameters=jwt_key={jwt_key}
DbdHost={host}
DbdAddr=127.0.0.1
DbdPort={slurmdbd}
CommunicationParameters=NoInAddrAny
SlurmUser=slurm
PidFile=/run/slurm/slurmdbd.pid
DebugLevel=info
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=slurm
StorageLoc=slurm_acct
"""

# A notebook takes one of its node's ten places whether its sender said so or not.
# The partition's QOS then refuses more than one place or the whole GPU.
_JOB_SUBMIT = """\
local function is_notebook(job)
  return job.partition == nil or job.partition == "" or job.partition == "jupyter"
end

function slurm_job_submit(job, partitions, uid)
  if is_notebook(job) and job.tres_per_node == nil and job.tres_per_job == nil
     and job.tres_per_task == nil and job.tres_per_socket == nil then
    job.tres_per_node = "gres:shard:1"
  end
  return slurm.SUCCESS
end

function slurm_job_modify(job, record, partitions, uid)
  return slurm.SUCCESS
end
"""

# What a job writes to $TMPDIR stays inside the demo's folder.
_TASK_PROLOG = f"#!/bin/sh\necho export TMPDIR={layout.TMP}\n"


def write_slurm_files(folder: Path, ports: Mapping[str, int], slurm: int) -> None:
    """Write slurm.conf and its companions; slurmdbd.conf belongs to user `slurm`."""
    folder.mkdir(mode=0o755)
    words = {
        "cluster": layout.CLUSTER,
        "host": layout.HOSTNAME,
        "jwt_key": JWT_KEY,
        "slurmctld": ports["slurmctld"],
        "slurmdbd": ports["slurmdbd"],
        "state": CTLD_STATE,
        "spool": SPOOL,
        "tmp": layout.TMP,
        "nodes": "\n".join(_node_line(node, ports) for node in NODES),
        "partitions": "\n".join(_PARTITIONS),
    }
    (folder / "slurm.conf").write_text(_SLURM_CONF.format(**words))
    dbd = folder / "slurmdbd.conf"
    dbd.write_text(_SLURMDBD_CONF.format(**words))
    dbd.chmod(0o600)
    os.chown(dbd, slurm, -1)
    (folder / "gres.conf").write_text("".join(map(_gres_lines, NODES)))
    (folder / "job_submit.lua").write_text(_JOB_SUBMIT)
    prolog = folder / "task_prolog"
    prolog.write_text(_TASK_PROLOG)
    prolog.chmod(0o755)


def _node_line(node: Node, ports: Mapping[str, int]) -> str:
    gres = f" Gres={node.gres}" if node.gres else ""
    return (
        f"NodeName={node.name} NodeHostname={layout.HOSTNAME} NodeAddr=127.0.0.1"
        f" Port={ports[slurmd(node.name)]} Sockets=2 CoresPerSocket={node.cores // 2}"
        f" ThreadsPerCore=1 RealMemory={node.memory_mb}{gres} State=UNKNOWN"
    )


def _gres_lines(node: Node) -> str:
    if not node.gpus:
        return ""
    files = f"{GPU_FILES}/{node.name}/nvidia[0-{node.gpus - 1}]"
    if node.gpus == 1:
        files = f"{GPU_FILES}/{node.name}/nvidia0"
    lines = (
        f"NodeName={node.name} Name=gpu Type={node.gpu_type} Count={node.gpus}"
        f" File={files}\n"
    )
    if node.notebooks:
        lines += f"NodeName={node.name} Name=shard Count={node.notebooks}\n"
    return lines


def slurmd(node: str) -> str:
    """Return the name of a node's service."""
    return f"slurmd-{node}"


def sacctmgr_before_controller() -> str:
    """Return what accounting must know before slurmctld may start."""
    return f"add cluster {layout.CLUSTER}\nadd qos jupyter\nadd qos high\n"


def sacctmgr_after_controller() -> str:
    """Return limits, tenants and their members; needs the GPUs that slurmctld told."""
    lines = [
        "modify qos normal set priority=100",
        "modify qos high set priority=1000",
        "modify qos jupyter set flags=DenyOnLimit MinTRESPerJob=gres/shard=1"
        " MaxTRESPerJob=cpu=4,gres/shard=1,gres/gpu=0",
        "add account vision description=vision organization=kqi"
        " GrpTRES=cpu=200,gres/gpu=12 qos=normal,high defaultqos=normal",
        "add account nlp description=nlp organization=kqi"
        " GrpTRES=cpu=80,gres/gpu=4 qos=normal defaultqos=normal",
    ]
    for tenants in dict.fromkeys(person.tenants for person in PEOPLE):
        names = ",".join(one.name for one in PEOPLE if one.tenants == tenants)
        lines.append(
            f"add user {names} account={','.join(tenants)} defaultaccount={tenants[0]}"
        )
    return "\n".join(lines) + "\n"
