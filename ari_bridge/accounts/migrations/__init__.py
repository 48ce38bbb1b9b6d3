"""How the table came to be as it is: Alembic's migrations, run at the start. A new form of it is a new file here."""
