from dataclasses import replace

import pytest
from sqlalchemy import Engine

from kqi_hub.db import schema
from kqi_hub.db.associations import SqlAssociationStore
from kqi_hub.domain.cluster import Association, Qos

ACCOUNT = Association(
    account="nlp",
    user="",
    partition="",
    parent="root",
    qos=("normal", "high"),
    default_qos="normal",
    grp_tres=(("cpu", 64), ("gres/gpu", 4)),
    max_tres_per_job=(),
    grp_tres_mins=(("billing", 10**12),),
    max_jobs=None,
    max_submit=100,
    max_time_s=None,
)


@pytest.fixture(autouse=True)
def upgraded(engine: Engine) -> None:
    schema.upgrade(engine)


BOB = replace(ACCOUNT, user="bob", parent="", grp_tres=(), max_jobs=3)


def test_what_is_kept_comes_back_the_same(engine: Engine) -> None:
    store = SqlAssociationStore(engine, "one")
    assert store.associations() == ()
    assert store.keep([BOB, ACCOUNT])
    assert store.associations() == (ACCOUNT, BOB)


def test_the_same_again_writes_nothing_and_says_so(engine: Engine) -> None:
    store = SqlAssociationStore(engine, "one")
    store.keep([ACCOUNT, BOB])
    assert not store.keep([BOB, ACCOUNT])


def test_who_is_gone_is_gone_and_changes_are_taken_over(engine: Engine) -> None:
    store = SqlAssociationStore(engine, "one")
    store.keep([ACCOUNT, BOB])
    changed = replace(ACCOUNT, grp_tres=(("cpu", 1),))
    assert store.keep([changed])
    assert store.associations() == (changed,)
    assert store.keep([])
    assert store.associations() == ()


def test_clusters_do_not_see_each_other(engine: Engine) -> None:
    SqlAssociationStore(engine, "one").keep([ACCOUNT])
    other = SqlAssociationStore(engine, "two")
    assert other.associations() == ()
    other.keep([BOB])
    assert SqlAssociationStore(engine, "one").associations() == (ACCOUNT,)


def test_a_person_with_one_association_for_each_partition_is_kept(
    engine: Engine,
) -> None:
    store = SqlAssociationStore(engine, "one")
    both = (replace(BOB, partition="a100"), replace(BOB, partition="v100"))
    store.keep(both)
    assert store.associations() == both


JUPYTER = Qos(
    name="jupyter",
    flags=("DenyOnLimit", "OverPartQOS"),
    grp_tres=(("cpu", 40), ("billing", 10**12)),
    max_tres_per_user=(("gres/gpu:v100", 1),),
    max_jobs_per_user=2,
    max_time_s=14_400,
)


def test_qos_come_back_the_same_and_are_replaced_as_a_whole(engine: Engine) -> None:
    store = SqlAssociationStore(engine, "one")
    assert store.qos() == ()
    assert store.keep_qos([Qos("normal"), JUPYTER])
    assert not store.keep_qos([JUPYTER, Qos("normal")])
    assert store.qos() == (JUPYTER, Qos("normal"))
    assert SqlAssociationStore(engine, "two").qos() == ()
    assert store.keep_qos([replace(JUPYTER, max_time_s=None)])
    assert store.qos() == (replace(JUPYTER, max_time_s=None),)
    store.keep([ACCOUNT])
    assert store.keep_qos([])
    assert (store.qos(), store.associations()) == ((), (ACCOUNT,))
