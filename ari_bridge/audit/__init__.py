"""The audit log: who did what, from where, with which result. Append-only, in a store of its own.

`Audit` is the port that other parts record with (audit.py shows how), `AuditLog` the log itself, `Action` the closed
list of what is recorded.
"""

from ari_bridge.audit.action import Action
from ari_bridge.audit.audit import Audit, NoAudit, acting, current_actor, recorded
from ari_bridge.audit.audit_log import AuditLog
from ari_bridge.audit.chain import Break, Chain, Head
from ari_bridge.audit.entry import SYSTEM, Actor, ActorKind, Detail, Entry, Result
from ari_bridge.audit.errors import AuditUnavailable
from ari_bridge.audit.query import MAX_PAGE_ENTRIES, AuditPage, AuditQuery

__all__ = [
    "MAX_PAGE_ENTRIES",
    "SYSTEM",
    "Action",
    "Actor",
    "ActorKind",
    "Audit",
    "AuditLog",
    "AuditPage",
    "AuditQuery",
    "AuditUnavailable",
    "Break",
    "Chain",
    "Detail",
    "Entry",
    "Head",
    "NoAudit",
    "Result",
    "acting",
    "current_actor",
    "recorded",
]
