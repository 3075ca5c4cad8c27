"""The person's files: browsed, shown, fetched, sent and changed by the agent."""
