"""The migrations lead to the table that the code reads, and which addresses of databases are taken."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from ari_bridge.cdr import migrate, schema
from ari_bridge.cdr.cdr import Cdr
from ari_bridge.sql.engine import postgresql_url

SCRIPTS = Path(migrate.__file__).parent / "migrations"


def test_the_newest_one_is_the_one_that_is_looked_for() -> None:
    assert ScriptDirectory(str(SCRIPTS)).get_current_head() == schema.HEAD


def test_they_make_the_table_that_the_code_reads(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'cdr.sqlite'}")
    with engine.begin() as connection:
        assert not migrate.at_head(connection)
        migrate.upgrade(connection)
        assert migrate.at_head(connection)
        migrate.upgrade(connection)  # once more does no harm
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
    engine.dispose()


def test_a_record_has_the_columns_of_the_table() -> None:
    assert Cdr.__struct_fields__ == tuple(schema.cdr.columns.keys())


@pytest.mark.parametrize(
    "url", ["postgresql://u:p@host/db", "postgres://host:5433/db", "postgresql://u:p@host/db?sslmode=require"]
)
def test_urls_of_postgresql(url: str) -> None:
    parsed = postgresql_url(url)
    assert (parsed.drivername, parsed.database) == ("postgresql+asyncpg", "db")
    assert "sslmode" not in parsed.query and ("ssl" in parsed.query) is ("sslmode" in url)


@pytest.mark.parametrize(
    "url", ["mysql://host/db", "postgresql://host", "host/db", "sqlite:///x", "postgresql://u:secret@h:x/d"]
)
def test_other_urls_are_refused_without_showing_a_password(url: str) -> None:
    with pytest.raises(ValueError, match="not a URL like postgresql://") as caught:
        postgresql_url(url)
    assert "secret" not in str(caught.value)
