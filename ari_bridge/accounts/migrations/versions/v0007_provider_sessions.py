"""Sessions that began at a provider of single sign-on. Written out, not imported: a migration never changes."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "provider_sessions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("sid", sa.Text, nullable=False),
        sa.Column("id_token", sa.Text, nullable=False),
        sa.Column("fetched", sa.Boolean, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
    )
    op.create_index("provider_sessions_by_user", "provider_sessions", ["user_id"])
    op.create_index("provider_sessions_by_subject", "provider_sessions", ["issuer", "subject"])
    op.create_table(
        "logout_tokens",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("expires_at", sa.Double, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("logout_tokens")
    op.drop_table("provider_sessions")
