"""The cases: every row of the table in docs/RELIABILITY.md."""

from tests.chaos.case import Case
from tests.chaos.cases.front_end import DEPLOY, KILLED
from tests.chaos.cases.network import BAD_NETWORK, FOUND, MOVED
from tests.chaos.cases.page import BROWSER_KILLED, CUT, RELOAD, SWALLOWED
from tests.chaos.cases.parts import ASTERISK_KILLED, NODE_KILLED
from tests.chaos.cases.steps import HANG_UP_STEPS, INBOUND_STEPS, OUTBOUND_STEPS, SOME_STEPS
from tests.chaos.cases.store import DISK_FULL, LOCKED

CASES: tuple[Case, ...] = (
    KILLED,
    DEPLOY,
    CUT,
    SWALLOWED,
    RELOAD,
    BROWSER_KILLED,
    MOVED,
    FOUND,
    BAD_NETWORK,
    NODE_KILLED,
    OUTBOUND_STEPS,
    INBOUND_STEPS,
    HANG_UP_STEPS,
    ASTERISK_KILLED,
    DISK_FULL,
    LOCKED,
)
"""In the order of the table."""

QUICK = (*(case for case in CASES if case.quick), SOME_STEPS)
"""What `make test` runs once."""
