"""The Clusters page: kqi/clusters."""

import os
from collections.abc import Mapping
from typing import Any, Final

from jupyter_server.auth.decorator import authorized
from jupyter_server.utils import ensure_async, url_path_join
from tornado import web

from kqi_hub.session.clusters import BadWish, Clusters, read_wish
from kqi_hub.session.pages import ToolPage
from kqi_hub.session.pythons import Python, pythons
from kqi_hub.session.queues import Queues, Seen

_SOON_S: Final = 2
_LATER_S: Final = 15
_STILL: Final = ("failed", "ended", "running")


class _ClusterPage(ToolPage):
    def initialize(self, clusters: Clusters, queues: Queues) -> None:
        """Take the groups of engines and the queues."""
        self.clusters, self.queues = clusters, queues

    async def pythons(self) -> list[Python]:
        """Return the Pythons that engines may run in."""
        specs = await ensure_async(self.kernel_spec_manager.get_all_specs())
        return pythons(specs, str(self.kernel_manager.default_kernel_name))

    async def show_clusters(
        self,
        form: Mapping[str, str] | None = None,
        problem: str = "",
        bad: str = "",
    ) -> None:
        """Answer with the page."""
        known, seen = self.clusters.known(), await self.queues.now()
        is_moving = any(
            one.state not in ("failed", "ended", "running") for one in known
        )
        self.show(
            "clusters",
            status=400 if bad else 200,
            form=form or {},
            problem=problem,
            bad=bad,
            seen=seen,
            age=_age(seen, self.texts[1]),
            queue=os.environ.get("SLURM_JOB_PARTITION", ""),
            tenant=os.environ.get("SLURM_JOB_ACCOUNT", ""),
            pythons=await self.pythons(),
            known=known,
            elsewhere=self.clusters.elsewhere(),
            pause=_SOON_S if is_moving else _LATER_S,
        )


class ClustersHandler(_ClusterPage):
    """GET kqi/clusters, and POST to start a group."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Show the groups and the form of a new one."""
        await self.show_clusters()

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Start a group."""
        form = self.form()
        try:
            await self.clusters.start(read_wish(form), await self._python(form))
        except BadWish as error:
            await self.show_clusters(form, str(error), error.field_name)
            return
        self.redirect(url_path_join(self.base_url, "kqi/clusters"), status=303)

    async def _python(self, form: Mapping[str, str]) -> Python:
        for one in await self.pythons():
            if one.kernel == form.get("kernel") or not form.get("kernel"):
                return one
        raise BadWish("kernel", "There is no such environment with ipyparallel.")


class StopClusterHandler(_ClusterPage):
    """POST kqi/clusters/stop."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Stop a group, or take one that has ended from the list."""
        try:
            await self.clusters.stop(self.get_body_argument("name"))
        except KeyError:
            await self.show_clusters(problem=self.texts[1]["not_stopped"])
            return
        self.redirect(url_path_join(self.base_url, "kqi/clusters"), status=303)


def _age(seen: Seen, texts: Mapping[str, str]) -> str:
    """Return how old the picture is, in the reader's words."""
    whole = int(seen.age_s or 0)
    units = ((3600, texts["age_h"]), (60, texts["age_min"]), (1, texts["age_s"]))
    found = ((whole // unit_s, text) for unit_s, text in units if whole >= unit_s)
    count, text = next(found, (0, texts["age_s"]))
    return text.replace("{n}", str(count))


def cluster_routes(base_url: str, clusters: Clusters) -> list[tuple[Any, ...]]:
    """Return the routes below a server's address."""
    given = {"clusters": clusters, "queues": Queues()}
    return [
        (url_path_join(base_url, "kqi/clusters"), ClustersHandler, given),
        (url_path_join(base_url, "kqi/clusters/stop"), StopClusterHandler, given),
    ]
