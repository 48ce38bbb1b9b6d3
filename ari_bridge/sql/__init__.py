"""What the databases of this server have in common: SQLite files or PostgreSQL, by SQLAlchemy and Alembic.

`sqlite` has what those share that use SQLite without SQLAlchemy.
"""
