"""Run the store by `python -m kqi_hub.store`."""

import sys

from kqi_hub.store.main import main

sys.exit(main())
