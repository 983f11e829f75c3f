"""How the tables came to be: revisions, run by alembic."""
