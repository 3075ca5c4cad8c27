"""Make and publish the bases that a site offers: locks, their packages, shell commands.

An operator runs `python -I -m conda_bootstrap.site`; people only read what it wrote.
"""
