"""GPUs of nodes and jobs."""

import pytest

from kqi_hub.domain.cluster import GpuCount
from kqi_hub.slurm.gres import Gres, job_gres, node_gpus, parse_gres


@pytest.mark.parametrize(
    ("text", "gres"),
    [
        ("(null)", []),
        ("", []),
        ("N/A", []),
        ("gpu:4", [Gres("gpu", "", 4)]),
        ("gpu", [Gres("gpu", "", 1)]),
        ("gpu:v100:4", [Gres("gpu", "v100", 4)]),
        ("gpu:v100:4(S:0-1)", [Gres("gpu", "v100", 4)]),
        ("gpu:v100:2(IDX:0,2),shard:0", [Gres("gpu", "v100", 2), Gres("shard", "", 0)]),
        ("gpu:(null):2(IDX:0-1)", [Gres("gpu", "", 2)]),
        ("gpu:a100:0(IDX:N/A),shard:a100:1(IDX:0)",
         [Gres("gpu", "a100", 0), Gres("shard", "a100", 1)]),
        ("gpu:a100_1g.5gb:7", [Gres("gpu", "a100_1g.5gb", 7)]),
        ("gpu:1080:2", [Gres("gpu", "1080", 2)]),
        ("gres:gpu:v100:2", [Gres("gpu", "v100", 2)]),
        ("gres/gpu:v100:2", [Gres("gpu", "v100", 2)]),
        ("gres/gpu:v100=2,gres/gpu=2", [Gres("gpu", "v100", 2), Gres("gpu", "", 2)]),
        ("craynetwork:no_consume:4K", [Gres("craynetwork", "", 4096)]),
    ],
)  # fmt: skip
def test_every_way_of_writing_gres_is_read(text: str, gres: list[Gres]) -> None:
    assert list(parse_gres(text)) == gres


@pytest.mark.parametrize("text", ["gpu:a:b:3", ":3"])
def test_what_is_no_gres_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no generic resource"):
        parse_gres(text)


@pytest.mark.parametrize(
    ("configured", "used", "gpus"),
    [
        ("(null)", "gpu:0,shard:0", ()),
        ("gpu:v100:4", "gpu:v100:2(IDX:0-1)", (GpuCount("v100", 4, 2),)),
        ("gpu:4", "gpu:(null):3(IDX:0,2-3)", (GpuCount("", 4, 3),)),
        ("gpu:a100:2,shard:8", "gpu:a100:0(IDX:N/A),shard:a100:1",
         (GpuCount("a100", 2, 0),)),
        ("gpu:v100:2,gpu:a100:2", "gpu:v100:0,gpu:a100:1(IDX:2)",
         (GpuCount("v100", 2, 0), GpuCount("a100", 2, 1))),
        # AutoDetect names a type that the configuration lacks.
        ("gpu:4", "gpu:a100:3(IDX:0-2)", (GpuCount("", 4, 3),)),
        # Slurm is about to be told that there are fewer.
        ("gpu:v100:2", "gpu:v100:4(IDX:0-3)", (GpuCount("v100", 2, 2),)),
    ],
)  # fmt: skip
def test_a_nodes_gpus_are_counted_by_type(
    configured: str, used: str, gpus: tuple[GpuCount, ...]
) -> None:
    assert node_gpus(configured, used) == gpus


@pytest.mark.parametrize(
    ("tres", "per_job", "per_node", "nodes", "text"),
    [
        ("cpu=1,mem=10M,node=1", "N/A", "N/A", 1, ""),
        ("cpu=1,gres/gpu=2,gres/gpu:v100=2", "N/A", "gres:gpu:v100:2", 1, "gpu:v100:2"),
        ("cpu=1,gres/gpu=3", "gres:gpu:3", "N/A", 1, "gpu:3"),
        # An exclusive queue hands out the whole node, whatever was asked.
        ("cpu=16,gres/gpu=4,gres/gpu:v100=4", "N/A", "gres:gpu:1", 1, "gpu:v100:4"),
        # Some of one type, the rest of none.
        ("gres/gpu=4,gres/gpu:v100=3", "N/A", "N/A", 1, "gpu:1,gpu:v100:3"),
        # The site does not track it: counted from the request, for each node.
        ("cpu=1", "N/A", "gres:gpu:v100:2,gres:shard:1", 3, "gpu:v100:6,shard:3"),
        ("cpu=1,gres/gpu=2", "N/A", "gres/gpu:2,gres/shard:1", 1, "gpu:2,shard:1"),
        # Nobody's request may make the whole reading fail.
        ("cpu=1,gres/gpu=2", "gres:gpu:a:b:c", "::,:,", 1, "gpu:2"),
        ("odd,thing=1.2.3,gres/gpu=1", "N/A", "N/A", 1, "gpu:1"),
    ],
)
def test_a_jobs_gres_are_those_it_has(
    tres: str, per_job: str, per_node: str, nodes: int, text: str
) -> None:
    assert job_gres(tres, per_job, per_node, nodes) == text
