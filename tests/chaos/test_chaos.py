"""The short form: each quick case once. Times are not judged here, as the machine may be busy: `make chaos` does."""

from pathlib import Path

import pytest

from tests.chaos.case import Case
from tests.chaos.cases import QUICK

pytestmark = pytest.mark.real


@pytest.mark.timeout(240)
@pytest.mark.parametrize("case", QUICK, ids=[case.name for case in QUICK])
async def test_no_call_is_lost_and_nothing_is_left(case: Case, tmp_path: Path) -> None:
    async with case.open(tmp_path) as run:
        seen = await run()
    assert not seen.wrong, "\n".join(seen.wrong)
    assert not seen.left, "left over:\n" + "\n".join(seen.left)
    assert seen.kept == seen.calls
