"""Alembic's revisions; each runs the file of the same name in `sql/`."""
