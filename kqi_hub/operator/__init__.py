"""The kqi-hub command, for the people who run a site."""
