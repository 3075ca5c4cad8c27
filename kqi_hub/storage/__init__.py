"""The tenants' data store, files and locks of this machine, remote Git servers."""
