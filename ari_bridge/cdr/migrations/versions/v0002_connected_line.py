"""Who was talked to, beside who was called: the connected line."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_COLUMNS = ("connected_number", "connected_name")


def upgrade() -> None:
    for name in _COLUMNS:
        op.add_column("cdr", sa.Column(name, sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("cdr") as table:
        for name in _COLUMNS:
            table.drop_column(name)
