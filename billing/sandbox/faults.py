"""Trouble on command: an error or a lost answer, before or after the request took effect."""

from dataclasses import dataclass

from billing.sandbox.call import Call
from billing.sandbox.errors import ApiError, KeyInUse, RateLimited, Unavailable

LOST = "timeout"
AT_THE_DOOR: dict[str, type[KeyInUse | RateLimited | Unavailable]] = {
    "409": KeyInUse,
    "429": RateLimited,
    "503": Unavailable,
}
KINDS = ("500", LOST, *AT_THE_DOOR)


@dataclass(frozen=True)
class Fault:
    """`applied` says whether the request takes effect all the same; `seconds` of waiting first.

    A `timeout` closes the connection without an answer.
    """

    kind: str
    applied: bool = False
    path: str = ""
    seconds: float = 0.0

    @property
    def loses_the_request(self) -> bool:
        return self.kind == LOST and not self.applied

    @property
    def loses_the_answer(self) -> bool:
        return self.kind == LOST and self.applied

    @property
    def breaks_the_endpoint(self) -> bool:
        return self.kind == "500" and not self.applied

    @property
    def breaks_the_answer(self) -> bool:
        return self.kind == "500" and self.applied

    def refuse_nonsense(self) -> None:
        """Raises ValueError for a fault that nobody could meet."""
        if self.kind not in KINDS:
            raise ValueError(f"a fault is one of {', '.join(KINDS)}")
        if self.applied and self.kind in AT_THE_DOOR:
            raise ValueError(f"{self.kind} is answered at the door: it cannot have taken effect")

    def refusal(self) -> ApiError | None:
        """What is answered before the endpoint is reached, if anything."""
        error = AT_THE_DOOR.get(self.kind)
        return None if error is None else error()


NONE = Fault("none")


def plan(call: Call, fault: Fault, times: int) -> None:
    """The next `times` requests whose path begins with the fault's path meet it."""
    call.books.db.execute(
        "INSERT INTO faults (kind, applied, path, seconds, remaining) VALUES (?, ?, ?, ?, ?)",
        (fault.kind, fault.applied, fault.path, fault.seconds, times),
    )


def take(call: Call, path: str) -> Fault:
    """The oldest planned fault that fits this path, used up by one; NONE if none does."""
    db = call.books.db
    row = db.execute(
        "SELECT seq, kind, applied, path, seconds FROM faults"
        " WHERE remaining > 0 AND substr(?, 1, length(path)) = path ORDER BY seq LIMIT 1",
        (path,),
    ).fetchone()
    if row is None:
        return NONE
    db.execute("UPDATE faults SET remaining = remaining - 1 WHERE seq = ?", (row[0],))
    return Fault(row[1], bool(row[2]), row[3], row[4])
