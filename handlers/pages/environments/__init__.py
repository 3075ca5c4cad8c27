"""Pages of a person's conda environments; what they show comes from the agent."""
