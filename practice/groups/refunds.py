"""What goes back to somebody who leaves a group: public rules, computed, never a favour.

Amounts are minor units; fractions are rounded up, for the person who paid. The money comes from
the organisation, never from an associate. When the leader cancels, everything goes back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from practice.groups.models import RefundTemplate


@dataclass(frozen=True)
class RefundStep:
    """`amount` goes back to who leaves before `until`; None is "from then on"."""

    until: datetime | None
    amount: int


def refund_due(
    template: RefundTemplate, paid: int, starts: Sequence[datetime], at: datetime
) -> int:
    """What goes back, of `paid`, to somebody who leaves at `at`; `starts` are the sessions'.

    Both templates give everything back before the first session. `by_session` then gives back
    the share of the sessions that have not begun; `until_start` nothing.
    """
    coming = sum(start > at for start in starts)
    if coming == len(starts):
        return paid
    if template is RefundTemplate.until_start:
        return 0
    return _share(paid, coming, len(starts))


def refund_table(
    template: RefundTemplate, paid: int, starts: Sequence[datetime]
) -> list[RefundStep]:
    """The same rule as dates and amounts, from everything down to nothing."""
    moments = sorted(starts) if template is RefundTemplate.by_session else [min(starts)]
    steps = [_step(paid, moments, place) for place in range(len(moments))]
    return [*steps, RefundStep(None, 0)]


def _step(paid: int, moments: Sequence[datetime], place: int) -> RefundStep:
    """What holds just before the moment at this place, which ends it."""
    return RefundStep(moments[place], _share(paid, len(moments) - place, len(moments)))


def _share(paid: int, coming: int, sessions: int) -> int:
    return -(-paid * coming // sessions)


TEMPLATE_WORDS = {
    RefundTemplate.until_start: (
        "Everything back until the first session begins, nothing afterwards."
    ),
    RefundTemplate.by_session: (
        "Everything back until the first session begins; after that, the share of the sessions "
        "that have not begun."
    ),
}
