"""The users. Written out, not imported: a migration never changes."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts_meta",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_since", sa.Double, nullable=False),
        sa.Column("roles", sa.Text, nullable=False),
        sa.Column("class_of_service", sa.Text, nullable=False),
        sa.Column("locked", sa.Boolean, nullable=False),
        sa.Column("must_change_password", sa.Boolean, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("removed_at", sa.Double),
        sa.Column("forgotten", sa.Boolean, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
    )
    op.create_index("users_by_revision", "users", ["revision"])
    present = sa.text("removed_at IS NULL")
    op.create_index(
        "users_by_name", "users", ["tenant", "name"], unique=True, sqlite_where=present, postgresql_where=present
    )


def downgrade() -> None:
    op.drop_table("users")
    op.drop_table("accounts_meta")
