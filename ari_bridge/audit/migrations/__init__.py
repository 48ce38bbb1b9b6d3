"""How the tables came to be as they are: Alembic's migrations, run at the start. A new form of them is a new file."""
