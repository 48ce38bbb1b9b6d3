"""The event log: every hook event, numbered and durable, for `GET /events` and whatever else must miss nothing.

Knows hook events and calls as data; knows neither who emits the events nor who reads them.

Theory of operation
-------------------
*One transaction.* The log is a table in the call store's file. An event that tells a change of a call is written in
the transaction that writes the call (`CallStore.save`), any other at the end of the event loop's turn, together with
what else has come in that turn. So a killed process leaves neither a change that was not told, nor the reverse.

*Numbers.* An event gets its number when it is written, the next one after the last that was written. One that cannot
be written has none. So numbers are in order, and none is missing.

*Told when durable.* Readers get an event once it is in the file, or in the spill journal while the file takes no
writes. A write takes about 90 µs, in the event loop, so that is no delay that anybody would notice. While neither can
be written events wait in memory, and so do their readers; calls do not. What finds no room there is dropped, counted,
and told as `events.lost`.

*No number twice.* A file that is lost, or may have lost its end (a power failure), must not give its numbers to other
events. So the first number of a file is the time in Unix milliseconds, and it is again whenever the end of the log is
uncertain: fewer than 1000 events a second are written in the long run, so the clock is always ahead of the numbers.
"""

from ari_bridge.event_log.event import EventCall, LoggedEvent
from ari_bridge.event_log.log import EventLog, Page
from ari_bridge.event_log.retention import Retention

__all__ = ["EventCall", "EventLog", "LoggedEvent", "Page", "Retention"]
