"""The schema's history: one Alembic revision a file of SQL, shipped with the package."""
