"""Make a data item, or put more files into one; the page's script sends them."""

from typing import Final

from handlers.access import Who
from handlers.ask import Ask, Page
from handlers.pages.data.uploads import open_uploads
from handlers.route import Routes, Spec
from kqi_hub.domain.data_rules import LONGEST_NAME
from kqi_hub.domain.datasets import LONGEST_MEMO
from kqi_hub.domain.errors import NotFound, NotPermitted
from kqi_hub.i18n import N_
from kqi_hub.services.tenant_rights import require_change

routes = Routes(tag=N_("Data"))
EXAMPLE: Final = {"data_id": "1"}
_TEMPLATE: Final = "pages/data/new.html"


@routes.get("/data/new", Spec(who=Who.MEMBER))
async def show_new_data(ask: Ask) -> Page:
    """Show the page that makes a data item of files."""
    tenant = ask.tenant or "-"
    values = {
        "item": None,
        "tenant": tenant,
        "tags": await ask.deps.data.known_tags(ask.asker, tenant),
        "uploads": await open_uploads(ask, tenant),
        "longest_name": LONGEST_NAME,
        "longest_memo": LONGEST_MEMO,
    }
    return Page(_TEMPLATE, values)


@routes.get(
    "/data/{data_id}/add",
    Spec(
        who=Who.MEMBER,
        in_its_tenant=True,
        errors=(NotFound, NotPermitted),
        example_path=EXAMPLE,
    ),
)
async def show_more_files(ask: Ask) -> Page:
    """Show the page that puts more files into a data item."""
    view = await ask.deps.data.one(ask.asker, ask.number("data_id"))
    item = view.item
    require_change(ask.asker, item.tenant, item.created_by)
    values = {
        "item": item,
        "tenant": item.tenant,
        "tags": (),
        "uploads": await open_uploads(ask, item.tenant, item.id),
        "longest_name": LONGEST_NAME,
        "longest_memo": LONGEST_MEMO,
    }
    return Page(_TEMPLATE, values)
