"""The use cases, one module a capability, written against ports."""
