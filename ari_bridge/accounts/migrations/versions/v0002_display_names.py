"""Users have a name for people. Written out, not imported: a migration never changes."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("display_name", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("users", "display_name")
