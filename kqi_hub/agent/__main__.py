"""Run an agent by `python -I -m kqi_hub.agent`."""

import sys

from kqi_hub.agent.main import main

sys.exit(main())
