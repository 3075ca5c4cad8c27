"""Let `python -I -m conda_bootstrap` be the command."""

import sys

from conda_bootstrap.commandline import main
from conda_bootstrap.leaving import leave

if __name__ == "__main__":
    leave(main(sys.argv[1:]))
