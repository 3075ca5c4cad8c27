"""One TOML file, read once into frozen dataclasses."""
