"""The table as it was at first. Written out, not imported: a migration never changes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.create_table(
        "cdr",
        sa.Column("call_id", sa.Text, primary_key=True),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("caller_name", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("ringing_at", sa.Double),
        sa.Column("answered_at", sa.Double),
        sa.Column("ended_at", sa.Double, nullable=False),
        sa.Column("talk_seconds", sa.Double, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("q850", sa.Integer, nullable=False),
        sa.Column("sip", sa.Integer, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("codecs", sa.Text, nullable=False),
        sa.Column("parties", json, nullable=False),
        sa.Column("transferred_to", sa.Text, nullable=False),
        sa.Column("recording", json, nullable=False),
        sa.Column("quality", json, nullable=False),
        sa.Column("feedback", json, nullable=False),
    )
    op.create_index("cdr_by_time", "cdr", ["created_at", "call_id"])
    op.create_index("cdr_by_user", "cdr", ["user", "created_at", "call_id"])
    op.create_index("cdr_by_outcome", "cdr", ["outcome", "created_at", "call_id"])


def downgrade() -> None:
    op.drop_table("cdr")
