"""What a channel meets that the fake Asterisk dials."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Answers:
    after: float = 0.0


@dataclass(frozen=True)
class Fails:
    """Ends the dialled channel with a Q.850 cause: 17 busy, 34 congestion, 19 no answer."""

    cause: int
    dialstatus: str
    after: float = 0.0


BUSY = Fails(17, "BUSY")
CONGESTION = Fails(34, "CONGESTION")
NO_ANSWER = Fails(19, "NOANSWER", after=0.05)


@dataclass(frozen=True)
class RingsForEver:
    """`early`: it sends audio meanwhile."""

    early: bool = False


FarSide = Answers | Fails | RingsForEver
