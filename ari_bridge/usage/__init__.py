"""Usage: what users have caused in legs and minutes, kept over a kill and a restart. Limits are compared with it.

Knows neither calls nor who may do what; `engine.leg_limits` puts them together.
"""

from ari_bridge.usage.calendar import Calendar, InvalidZone
from ari_bridge.usage.counters import UsageCounters
from ari_bridge.usage.state_table import StateTable

__all__ = ["Calendar", "InvalidZone", "StateTable", "UsageCounters"]
