"""Let `python -I -m conda_bootstrap` be the command."""

import sys

from conda_bootstrap.commandline import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
