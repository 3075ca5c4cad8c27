"""The steps of a run inside its job: standard library only."""
