"""Codes of authenticator apps, by the vectors of RFC 6238, and the key that seals their secrets."""

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ari_bridge.accounts import totp

SECRET = base64.b32encode(b"12345678901234567890").decode()  # of RFC 6238, appendix B


@pytest.mark.parametrize(
    ("at", "code"), [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]
)
def test_the_vectors_of_the_rfc(at: int, code: str) -> None:
    assert totp.step_of(SECRET, code, at) == at // 30


def test_a_step_either_way_and_no_more() -> None:
    now = 1234567890.0
    steps = [totp.step_of(SECRET, "005924", now + 30 * away) for away in (-2, -1, 0, 1, 2)]
    assert steps == [None, *[int(now) // 30] * 3, None]
    assert totp.step_of(SECRET, "", now) is None and totp.step_of(SECRET, "00592", now) is None


def test_a_sealed_secret_is_read_after_a_restart_and_with_its_own_key_alone(tmp_path: Path) -> None:
    key = totp.SecretKey(tmp_path / "key")
    sealed = key.seal(SECRET)
    assert SECRET not in sealed
    assert totp.SecretKey(tmp_path / "key").open(sealed) == SECRET
    (tmp_path / "key").unlink()
    key.restore()
    assert totp.SecretKey(tmp_path / "key").open(sealed) == SECRET
    with pytest.raises(totp.SecretUnreadable):
        totp.SecretKey(tmp_path / "missing").open(sealed)
    other = totp.SecretKey(tmp_path / "other")
    other.seal(SECRET)
    with pytest.raises(totp.SecretUnreadable):
        other.open(sealed)


def test_secrets_that_are_sealed_at_once_have_one_key(tmp_path: Path) -> None:
    keys = [totp.SecretKey(tmp_path / "key") for _ in range(20)]
    with ThreadPoolExecutor(8) as threads:
        sealed = list(threads.map(lambda key: key.seal(SECRET), keys))
    assert {totp.SecretKey(tmp_path / "key").open(one) for one in sealed} == {SECRET}


def test_the_qr_code_is_square_and_has_its_finders() -> None:
    rows = totp.qr_code(totp.uri_of(SECRET, "1001"))
    assert {len(row) for row in rows} == {len(rows)}
    assert rows[0].startswith("1111111") and rows[0].endswith("1111111") and rows[-1].startswith("1111111")
