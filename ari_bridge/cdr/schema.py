"""The table of call detail records, as the code reads and writes it.

How a database gets it, and gets from one form of it to the next, is in `migrations/`; a test compares the two.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

HEAD = "0003"
"""The newest migration."""

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

metadata = sa.MetaData()

cdr = sa.Table(
    "cdr",
    metadata,
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
    sa.Column("parties", _JSON, nullable=False),
    sa.Column("transferred_to", sa.Text, nullable=False),
    sa.Column("recording", _JSON, nullable=False),
    sa.Column("quality", _JSON, nullable=False),
    sa.Column("feedback", _JSON, nullable=False),
    sa.Column("connected_number", sa.Text, nullable=False, server_default=""),
    sa.Column("connected_name", sa.Text, nullable=False, server_default=""),
    sa.Column("metadata", _JSON, nullable=False, server_default="{}"),
    # Each in the order of the pages, so that a page is read without sorting.
    sa.Index("cdr_by_time", "created_at", "call_id"),
    sa.Index("cdr_by_user", "user", "created_at", "call_id"),
    sa.Index("cdr_by_outcome", "outcome", "created_at", "call_id"),
)
