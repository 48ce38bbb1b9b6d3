"""A plugin: writes every inbound call that nobody took to a file, one line each.

PLUGINS=missed_calls MISSED_CALLS_FILE=missed.log PYTHONPATH=docs/examples ari-bridge serve
"""

import os
import time
from pathlib import Path

from ari_bridge.fsm.call import Direction
from ari_bridge.hooks import CallEnded, Hooks
from ari_bridge.outcomes import Outcome

ELSEWHERE = Outcome.ANSWERED_ELSEWHERE  # a colleague has talked to them


def write_missed_call(event: CallEnded) -> None:
    call = event.call
    taken = call.answered_at is not None or call.outcome is ELSEWHERE
    if call.direction is Direction.INBOUND and not taken and call.outcome:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(call.created_at))
        with Path(os.environ.get("MISSED_CALLS_FILE", "missed.log")).open("a") as file:
            file.write(f"{when} {call.caller} called {call.target}: {call.outcome.value}\n")


def setup(hooks: Hooks) -> None:
    hooks.on(CallEnded, write_missed_call)
