"""The portal's database: SQLAlchemy lives here only."""
