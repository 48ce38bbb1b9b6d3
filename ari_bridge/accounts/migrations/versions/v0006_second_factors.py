"""Second factors. Written out, not imported: a migration never changes."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("second_factor", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "second_factors",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("counter", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("last_used_at", sa.Double, nullable=False),
    )
    op.create_index("second_factors_by_user", "second_factors", ["user_id"])
    op.create_table(
        "recovery_codes",
        sa.Column("user_id", sa.Text, primary_key=True),
        sa.Column("code_hash", sa.Text, primary_key=True),
        sa.Column("used_at", sa.Double),
    )


def downgrade() -> None:
    op.drop_table("recovery_codes")
    op.drop_table("second_factors")
    op.drop_column("users", "second_factor")
