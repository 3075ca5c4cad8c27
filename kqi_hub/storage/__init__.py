"""The tenants' data store."""
