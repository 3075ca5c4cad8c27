"""The engines of the profile `slurm`: they end with their controller.

This file may be changed: from then on KQI Hub leaves it alone.
"""

c = get_config()  # type: ignore[name-defined]  # noqa: F821  # IPython gives it

# A controller that is silent for half a minute is gone, and the notebook with it.
c.IPEngine.max_heartbeat_misses = 10
# One that is not found at all: the notebook ended while the engines were waiting.
c.IPEngine.timeout = 30
