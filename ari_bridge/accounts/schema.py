"""The tables of accounts, as the code reads and writes them.

How a database gets them, and gets from one form of them to the next, is in `migrations/`; a test compares the two.
"""

import sqlalchemy as sa

HEAD = "0009"
"""The newest migration."""
VERSION_TABLE = "accounts_version"

metadata = sa.MetaData()

meta = sa.Table(
    "accounts_meta",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_since", sa.Double, nullable=False),
    sa.Column("display_name", sa.Text, nullable=False),
    sa.Column("roles", sa.Text, nullable=False),  # separated by commas
    sa.Column("class_of_service", sa.Text, nullable=False),
    sa.Column("locked", sa.Boolean, nullable=False),
    sa.Column("must_change_password", sa.Boolean, nullable=False),
    sa.Column("second_factor", sa.Boolean, nullable=False),
    sa.Column("sip_realm", sa.Text, nullable=False),
    sa.Column("sip_ha1", sa.Text, nullable=False),
    sa.Column("sip_ha1_sha256", sa.Text, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("removed_at", sa.Double),
    sa.Column("forgotten", sa.Boolean, nullable=False),  # of a removed user: what was kept under the name is deleted
    sa.Column("revision", sa.BigInteger, nullable=False),  # of the last change: those above are read anew
    sa.Index("users_by_revision", "revision"),
)
sa.Index(
    "users_by_name",
    users.c.tenant,
    users.c.name,
    unique=True,
    sqlite_where=users.c.removed_at.is_(None),
    postgresql_where=users.c.removed_at.is_(None),
)
signing_keys = sa.Table(
    "signing_keys",
    metadata,
    sa.Column("kid", sa.Text, primary_key=True),
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("retires_at", sa.Double),
)
sign_in_sessions = sa.Table(
    "sign_in_sessions",
    metadata,
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
    sa.Column("revision", sa.BigInteger, nullable=False),  # of its end: those above are read anew
    sa.Index("sign_in_sessions_by_user", "user_id", "refreshed_at"),
    sa.Index("sign_in_sessions_by_revision", "revision"),
)
identities = sa.Table(
    "identities",
    metadata,
    sa.Column("issuer", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Index("identities_by_user", "user_id"),
)
second_factors = sa.Table(
    "second_factors",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("secret", sa.Text, nullable=False),  # sealed (totp.py)
    sa.Column("counter", sa.BigInteger, nullable=False),  # the last step that was used
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("last_used_at", sa.Double, nullable=False),
    sa.Index("second_factors_by_user", "user_id"),
)
security_keys = sa.Table(
    "security_keys",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("credential_id", sa.Text, nullable=False),  # this and the next: base64url
    sa.Column("public_key", sa.Text, nullable=False),  # COSE
    sa.Column("sign_count", sa.BigInteger, nullable=False),
    sa.Column("transports", sa.Text, nullable=False),  # separated by commas
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("last_used_at", sa.Double, nullable=False),
    sa.Index("security_keys_by_user", "user_id"),
    sa.Index("security_keys_by_credential", "credential_id", unique=True),
)
recovery_codes = sa.Table(
    "recovery_codes",
    metadata,
    sa.Column("user_id", sa.Text, primary_key=True),
    sa.Column("code_hash", sa.Text, primary_key=True),
    sa.Column("used_at", sa.Double),
)
api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("scopes", sa.Text, nullable=False),  # this and the next three: separated by commas
    sa.Column("networks", sa.Text, nullable=False),
    sa.Column("origins", sa.Text, nullable=False),
    sa.Column("users", sa.Text, nullable=False),
    sa.Column("max_calls", sa.Integer, nullable=False),
    sa.Column("class_of_service", sa.Text, nullable=False),
    sa.Column("secret_hash", sa.Text, nullable=False),
    sa.Column("previous_hash", sa.Text, nullable=False),
    sa.Column("previous_until", sa.Double, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("expires_at", sa.Double),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("last_used_at", sa.Double),
    sa.Column("revoked_at", sa.Double),
    sa.Column("revision", sa.BigInteger, nullable=False),  # as that of users
    sa.Index("api_keys_by_revision", "revision"),
)
provider_sessions = sa.Table(
    "provider_sessions",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.Column("issuer", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("sid", sa.Text, nullable=False),
    sa.Column("id_token", sa.Text, nullable=False),
    sa.Column("fetched", sa.Boolean, nullable=False),
    sa.Column("expires_at", sa.Double, nullable=False),
    sa.Index("provider_sessions_by_user", "user_id"),
    sa.Index("provider_sessions_by_subject", "issuer", "subject"),
)
logout_tokens = sa.Table(  # those that were used, as hashes
    "logout_tokens",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("expires_at", sa.Double, nullable=False),
)
