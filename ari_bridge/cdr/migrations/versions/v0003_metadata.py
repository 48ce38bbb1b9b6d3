"""Metadata of client tokens. Written out, not imported: a migration never changes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("cdr", sa.Column("metadata", _JSON, nullable=False, server_default="{}"))


def downgrade() -> None:
    with op.batch_alter_table("cdr") as table:
        table.drop_column("metadata")
