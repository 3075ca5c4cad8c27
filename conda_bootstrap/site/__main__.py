"""Let `python -I -m conda_bootstrap.site` be the command."""

import sys

from conda_bootstrap.leaving import leave
from conda_bootstrap.site.command import main

if __name__ == "__main__":
    leave(main(sys.argv[1:]))
