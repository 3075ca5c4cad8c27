"""The tables of who may submit to which Slurm account, and of what a QOS allows."""

from sqlalchemy.orm import Mapped, mapped_column

from kqi_hub.db.tables import Base
from kqi_hub.db.text import Amounts


class AssociationRow(Base):
    """A `domain.cluster.Association`; the user of an account itself is empty."""

    __tablename__ = "associations"

    cluster: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(primary_key=True)
    user: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[str] = mapped_column(primary_key=True)
    parent: Mapped[str]
    qos: Mapped[tuple[str, ...]]
    default_qos: Mapped[str]
    grp_tres: Mapped[tuple[tuple[str, int], ...]] = mapped_column(Amounts())
    max_tres_per_job: Mapped[tuple[tuple[str, int], ...]] = mapped_column(Amounts())
    grp_tres_mins: Mapped[tuple[tuple[str, int], ...]] = mapped_column(Amounts())
    max_jobs: Mapped[int | None]
    max_submit: Mapped[int | None]
    max_time_s: Mapped[int | None]


class QosRow(Base):
    """A `domain.cluster.Qos`, as one cluster's worker was told of it."""

    __tablename__ = "qos"

    cluster: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    flags: Mapped[tuple[str, ...]]
    grp_tres: Mapped[tuple[tuple[str, int], ...]] = mapped_column(Amounts())
    max_tres_per_job: Mapped[tuple[tuple[str, int], ...]] = mapped_column(Amounts())
    max_tres_per_node: Mapped[tuple[tuple[str, int], ...]] = mapped_column(Amounts())
    max_tres_per_user: Mapped[tuple[tuple[str, int], ...]] = mapped_column(Amounts())
    max_tres_per_account: Mapped[tuple[tuple[str, int], ...]] = mapped_column(Amounts())
    max_jobs_per_user: Mapped[int | None]
    max_submit_per_user: Mapped[int | None]
    max_time_s: Mapped[int | None]
