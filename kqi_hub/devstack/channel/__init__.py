"""A small real conda channel for the demo and the tests, made on this machine.

Its packages are wheels and this machine's own Python, repacked. It is not a way to
make packages for people: a site takes those of a real channel.
"""
