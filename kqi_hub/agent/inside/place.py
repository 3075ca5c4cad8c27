"""Everything that leads into jobs, in one piece for the handlers."""

from concurrent.futures import ThreadPoolExecutor

from kqi_hub.agent.inside.boards import Boards
from kqi_hub.agent.inside.bridges import Bridges
from kqi_hub.agent.inside.slurm_jobs import Jobs
from kqi_hub.agent.inside.terminals import Terminals
from kqi_hub.agent.instructions import Instructions


class Inside:
    """The ways into one person's jobs."""

    def __init__(self, told: Instructions, disk: ThreadPoolExecutor) -> None:
        self.jobs = Jobs(told.environments)
        self.bridges = Bridges(self.jobs)
        self.terminals = Terminals()
        self.boards = Boards(told.folder, self.jobs, self.bridges, disk)

    async def close(self) -> None:
        """End what hangs on this agent; TensorBoards are jobs and go on."""
        self.terminals.close()
        await self.bridges.close()
