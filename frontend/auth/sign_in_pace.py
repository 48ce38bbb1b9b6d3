"""Rate limiting of sign-in attempts. Pure: the time is a parameter.

No account is locked: after some failed attempts the next ones are delayed, and one with the right password succeeds
when its delay is over. Failures are counted for three keys: a name from one network (a user who mistypes, or somebody
who guesses), a name from all networks (many machines that guess one password) and a network (one machine that tries
many names). If a name has signed in from a network before, only its own failures there delay it.
"""

import ipaddress
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import TypeVar

K = TypeVar("K")

FAILURE_WINDOW_S = 600.0
"""How long a failed attempt counts."""
MAX_DELAY_S = 5.0
"""How long an attempt may be delayed; one that would be delayed longer is refused."""
MAX_REMEMBERED = 10_000
"""How many names, networks and pairs of both are remembered, of each kind."""


@dataclass(frozen=True)
class Pace:
    """How attempts are spaced: `free` failures without delay, then one attempt each `first` seconds.

    The spacing doubles after each five more failures, up to `longest` seconds.
    """

    free: int
    first: float
    longest: float

    def spacing(self, wrong: int) -> float:
        """Seconds between the next two attempts after `wrong` failures."""
        return 0.0 if wrong < self.free else min(self.longest, self.first * 2.0 ** min((wrong - self.free) // 5, 16))


NAME_FROM_NETWORK = Pace(free=10, first=1.0, longest=5.0)
NAME = Pace(free=50, first=1.0, longest=1.0)
NETWORK = Pace(free=100, first=0.5, longest=0.5)


@dataclass
class _Count:
    wrong: deque[float] = field(default_factory=lambda: deque(maxlen=256))  # when, the latest
    next_at: float = 0.0  # when the next attempt may be made, once they are spaced


@dataclass(frozen=True)
class SignInAttempt:
    """`delay`: seconds until the password may be checked."""

    name: str
    network: str
    delay: float
    at: float


class SignInPace:
    """Counts failures. `window`: how many seconds one counts. The others: how attempts of each key are spaced."""

    def __init__(
        self,
        *,
        name_from_network: Pace = NAME_FROM_NETWORK,
        name: Pace = NAME,
        network: Pace = NETWORK,
        window: float = FAILURE_WINDOW_S,
    ) -> None:
        self._paces = name_from_network, name, network
        self._window = window
        self._pairs: OrderedDict[tuple[str, str], _Count] = OrderedDict()
        self._names: OrderedDict[str, _Count] = OrderedDict()
        self._networks: OrderedDict[str, _Count] = OrderedDict()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def begin(self, name: str, network: str, now: float) -> SignInAttempt:
        """When this attempt may be made.

        If its `delay` is at most MAX_DELAY_S, its time is reserved, and it counts as failed until `right` is called:
        so attempts that are sent at the same time are spaced as well.
        """
        of_pair, of_name, of_network = self._paces
        counts = [(of_pair, self._count(self._pairs, (name, network), now))]
        if (name, network) not in self._known:
            counts += [
                (of_name, self._count(self._names, name, now)),
                (of_network, self._count(self._networks, network, now)),
            ]
        paced = [(count, spacing) for pace, count in counts if (spacing := pace.spacing(len(count.wrong)))]
        at = max([now, *(count.next_at for count, _ in paced)])
        if at - now <= MAX_DELAY_S:
            for count, spacing in paced:
                count.next_at = at + spacing
            for _, count in counts:
                count.wrong.append(at)
        return SignInAttempt(name, network, at - now, at)

    def rank(self, name: str, network: str, now: float) -> int:
        """Who goes first where many wait: 0 if the name has signed in from this network before, 2 after a failure.

        So whoever signs in every day does not wait for those who guess, however many networks they have.
        """
        if (name, network) in self._known:
            return 0
        count = self._networks.get(network)
        failed = count is not None and any(at >= now - FAILURE_WINDOW_S for at in count.wrong)
        return 2 if failed else 1

    def right(self, made: SignInAttempt) -> None:
        """The password was right."""
        pair = (made.name, made.network)
        self._pairs.pop(pair, None)
        for count in (self._names.get(made.name), self._networks.get(made.network)):
            if count and made.at in count.wrong:
                count.wrong.remove(made.at)
        self._known[pair] = None
        self._known.move_to_end(pair)
        while len(self._known) > MAX_REMEMBERED:
            self._known.popitem(last=False)

    def _count(self, counts: OrderedDict[K, _Count], key: K, now: float) -> _Count:
        count = counts.setdefault(key, _Count())
        counts.move_to_end(key)
        while count.wrong and count.wrong[0] < now - self._window:
            count.wrong.popleft()
        while len(counts) > MAX_REMEMBERED or not self._counts(next(iter(counts.values())), now, count):
            counts.popitem(last=False)
        return count

    def _counts(self, oldest: _Count, now: float, current: _Count) -> bool:
        """Whether the least recently used count must be kept."""
        return oldest is current or bool(oldest.wrong and oldest.wrong[-1] >= now - self._window)


def network_of(address: str) -> str:
    """What counts as one network: an IPv4 address, or the /64 of an IPv6 address, which one connection usually gets."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            return str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
        parsed = parsed.ipv4_mapped
    return str(parsed)
