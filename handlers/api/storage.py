"""Storage: how much a tenant and its people keep, beside their quotas."""

from pydantic import Field

from handlers.access import Who
from handlers.ask import Ask
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.data import StoreUse
from kqi_hub.domain.errors import NotFound
from kqi_hub.i18n import N_
from kqi_hub.services.data_use import Of, TenantUse

routes = Routes("/api/v1", tag=N_("Data"))


class Wanted(Model):
    """Which tenant, and how closely."""

    tenant: str = Field(max_length=64, description="The tenant.")
    with_disk: bool = Field(
        False, description="Whether to count on the disk too, which takes seconds."
    )


class Use(Model):
    """How much is kept, and how much may be; none: no limit."""

    files: int = Field(description="Files of data items.")
    bytes: int = Field(description="Bytes of data items, as listed.")
    uploading_bytes: int = Field(description="Bytes announced by uploads under way.")
    most_files: int | None = Field(description="The quota of files.")
    most_bytes: int | None = Field(description="The quota of bytes.")


class PersonUse(Use):
    """How much one person keeps in the tenant."""

    person: str = Field(description="Who made it.")


class Disk(Model):
    """How much is on the disk, where the same content is kept once."""

    contents: int = Field(description="Different contents.")
    content_bytes: int = Field(description="Their bytes.")
    incoming_bytes: int = Field(description="Bytes of uploads under way.")
    free_bytes: int = Field(description="Room left on the disk, for all tenants.")


class Caution(Model):
    """A quota that is nearly used up, or more."""

    whose: Of = Field(description="tenant or person.")
    name: str = Field(description="Which one.")
    what: str = Field(description="files or bytes.")
    percent: int = Field(description="How much of it is used.")


class Storage(Model):
    """What a tenant keeps."""

    tenant: str = Field(description="The tenant.")
    use: Use = Field(description="The whole tenant.")
    people: tuple[PersonUse, ...] = Field(description="Each person, the most first.")
    disk: Disk | None = Field(description="On the disk; none: not asked or no answer.")
    warnings: tuple[Caution, ...] = Field(description="Quotas of which 80 % are used.")


@routes.get(
    "/storage",
    Spec(
        who=Who.VIEWER,
        in_its_tenant=True,
        query=Wanted,
        answer=Storage,
        errors=(NotFound,),
    ),
)
async def show_storage(ask: Ask) -> Storage:
    """Show how much a tenant and its people keep, beside their quotas."""
    wanted = ask.query(Wanted)
    found = await ask.deps.data_use.of(
        ask.asker, wanted.tenant, with_disk=wanted.with_disk
    )
    return Storage(
        tenant=found.tenant,
        use=Use.model_validate(_use(found.use)),
        people=tuple(
            PersonUse.model_validate({"person": one.person, **_use(one.use)})
            for one in found.people
        ),
        disk=_disk(found),
        warnings=tuple(
            Caution(whose=one.whose, name=one.name, what=one.what, percent=one.percent)
            for one in found.cautions
        ),
    )


def _use(found: StoreUse) -> dict[str, object]:
    return {name: getattr(found, name) for name in Use.model_fields}


def _disk(found: TenantUse) -> Disk | None:
    if found.kept is None:
        return None
    return Disk(
        contents=found.kept.contents,
        content_bytes=found.kept.content_bytes,
        incoming_bytes=found.kept.incoming_bytes,
        free_bytes=found.kept.free_bytes,
    )
