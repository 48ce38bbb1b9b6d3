"""The doctor warns of what crosses a network in clear."""

import pytest

from ari_bridge.diagnostics.checks import Subject
from ari_bridge.diagnostics.peer_checks import PeerChecks


def subject(database: str = "", store: str = "") -> Subject:
    return Subject(
        ari_url="http://127.0.0.1:8088/ari",
        ari_user="u",
        ari_password="p",
        ari_app="a",
        rtpengine_ng=(),
        databases=(("CDR_DATABASE_URL", database), ("AUDIT_DATABASE_URL", "")),
        recording_s3_endpoint=store,
    )


@pytest.mark.parametrize(
    ("host", "query", "warned"),
    [
        ("db.example.com", "", "in clear"),
        ("db.example.com", "?sslmode=disable", "in clear"),
        ("db.example.com", "?sslmode=prefer", "in clear"),
        ("192.0.2.5:5432", "?x=y", "in clear"),
        ("[2001:db8::1]", "", "in clear"),
        ("db.example.com", "?sslmode=require", "not checked"),
        ("db.example.com", "?sslmode=verify-ca", "not checked"),
        ("db.example.com", "?sslmode=verify-full", ""),
        ("127.0.0.1", "", ""),
        ("localhost:5432", "", ""),
        ("[::1]", "", ""),
        ("", "?host=/run/postgresql", ""),
    ],
)
async def test_databases(host: str, query: str, warned: str) -> None:
    [check] = PeerChecks(subject(f"postgresql://user:hunter2@{host}/calls{query}")).all()
    seen, cure = await check.run()
    assert warned in seen and bool(cure) is bool(warned)
    assert "hunter2" not in seen + cure and ("CDR" in seen) is bool(warned)


@pytest.mark.parametrize(
    ("url", "warned"),
    [("http://s3.example.com", True), ("https://s3.example.com", False), ("http://127.0.0.1:9000", False)],
)
async def test_stores(url: str, warned: bool) -> None:
    [check] = PeerChecks(subject(store=url)).all()
    assert bool((await check.run())[1]) is warned


def test_nothing_to_check_where_all_is_kept_here() -> None:
    assert PeerChecks(subject()).all() == []
