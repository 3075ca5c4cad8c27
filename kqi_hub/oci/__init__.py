"""Registries of container images, asked over their HTTP API; standard library only.

Portal and jobs ask them alike: the one to offer and resolve, the others to fetch.
"""
