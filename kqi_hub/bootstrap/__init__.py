"""Join ports and adapters: the one place that sees both. Nothing happens at import.

One module a topic, so that a process loads only what it uses: the worker must stay
small, and the libraries of the login are none of its business.
"""
