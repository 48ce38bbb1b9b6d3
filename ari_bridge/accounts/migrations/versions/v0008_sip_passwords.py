"""SIP passwords of users. Written out, not imported: a migration never changes."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

COLUMNS = ("sip_realm", "sip_ha1", "sip_ha1_sha256")


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column("users", sa.Column(name, sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    for name in COLUMNS:
        op.drop_column("users", name)
