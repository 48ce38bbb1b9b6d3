"""The keys that sign tokens, and the sign-in sessions with their refresh tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "signing_keys",
        sa.Column("kid", sa.Text, primary_key=True),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("retires_at", sa.Double),
    )
    op.create_table(
        "sign_in_sessions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("refreshed_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.Column("access_until", sa.Double, nullable=False),
        sa.Column("ended_at", sa.Double),
        sa.Column("family_hash", sa.Text, nullable=False),
        sa.Column("token_hash", sa.Text, nullable=False),
        sa.Column("previous_hash", sa.Text, nullable=False),
        sa.Column("salt", sa.Text, nullable=False),
        sa.Column("attempt_hash", sa.Text, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
    )
    op.create_index("sign_in_sessions_by_user", "sign_in_sessions", ["user_id", "refreshed_at"])
    op.create_index("sign_in_sessions_by_revision", "sign_in_sessions", ["revision"])


def downgrade() -> None:
    op.drop_table("sign_in_sessions")
    op.drop_table("signing_keys")
