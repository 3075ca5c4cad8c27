"""The portal's Tornado handlers: every page and the REST API."""
