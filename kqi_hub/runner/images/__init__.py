"""Container images of runs: fetched, unpacked and kept on the person's own scratch."""
