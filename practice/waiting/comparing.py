"""A proposal in a few figures, beside what first come, first served would have done.

How near it is to the best is certain: another that reaches the same goals has a total that is
higher by the gap at most. So the gap is rounded up, and only one of nothing at all says "none".

`WaitingRun.figures` is {"waiting", "severe", "without_anybody", "proposal", "arrival"}; the last
two are {"placed", "severe_placed", "worst" (points, None when nobody is placed), "longest" (days
waited by whoever waits on, None when nobody does)}. Only counts: nobody is named in it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import matching
from matching.allocation.auction import GAP
from matching.allocation.candidates import Allocation, Candidates
from practice.waiting.urgency import SEVERE


@dataclass(frozen=True)
class Measure:
    """One line of the comparison: the two values in words, and their shares of the longest bar."""

    name: str
    proposal: str
    arrival: str
    proposal_share: float
    arrival_share: float


def figures_of(
    candidates: Candidates,
    proposal: Allocation,
    arrival: Allocation,
    severities: Sequence[int],
    days: Sequence[int],
) -> dict[str, Any]:
    severe = np.array(severities, dtype=np.int64) >= SEVERE
    return {
        "waiting": candidates.clients,
        "severe": int(severe.sum()),
        "without_anybody": candidates.clients - int(candidates.has_any.sum()),
        "proposal": _outcome(proposal, severe, days),
        "arrival": _outcome(arrival, severe, days),
    }


def _outcome(allocation: Allocation, severe: Any, days: Sequence[int]) -> dict[str, int | None]:
    placed = allocation.is_placed
    waits_on = np.array(days, dtype=np.int64)[~placed]
    return {
        "placed": allocation.placed,
        "severe_placed": int((placed & severe).sum()),
        "worst": allocation.worst,
        "longest": int(waits_on.max()) if len(waits_on) else None,
    }


def measures_of(figures: Mapping[str, Any]) -> list[Measure]:
    """The four lines of the picture and of the table behind it."""
    ours, theirs = figures["proposal"], figures["arrival"]
    waiting, severe = figures["waiting"], figures["severe"]
    longest = max(ours["longest"] or 0, theirs["longest"] or 0)
    return [
        _measure("Placed", ours["placed"], theirs["placed"], waiting, f" of {waiting}"),
        _measure(
            "Severe cases placed",
            ours["severe_placed"],
            theirs["severe_placed"],
            severe,
            f" of {severe}",
        ),
        _measure("Least close match", _thousandths(ours), _thousandths(theirs), 1000, " of 1000"),
        _measure("Longest wait that goes on", ours["longest"], theirs["longest"], longest, " days"),
    ]


def sentence_of(figures: Mapping[str, Any]) -> str:
    """What the proposal does better or not, in one sentence."""
    ours, theirs, waiting = figures["proposal"], figures["arrival"], figures["waiting"]
    placed = f"{_people(ours['placed'])} of {waiting} could be placed"
    severe = f"{_against(ours['severe_placed'] - theirs['severe_placed'])} whose need is severe"
    more = _against(ours["placed"] - theirs["placed"])
    return f"{placed}: {more} than by first come, first served, and {severe}."


def percent_of(gap: float) -> str:
    """ "0.02 %": never less than the gap is."""
    # Without the inner rounding, what is a hundredth to the eye may be a hair above it.
    return f"{math.ceil(round(gap * 10_000, 6)) / 100:.2f}\N{NO-BREAK SPACE}%"


AIM = percent_of(GAP)


def _measure(name: str, proposal: int | None, arrival: int | None, most: int, unit: str) -> Measure:
    return Measure(
        name,
        _said(proposal, unit),
        _said(arrival, unit),
        (proposal or 0) / max(most, 1),
        (arrival or 0) / max(most, 1),
    )


def _said(value: int | None, unit: str) -> str:
    return "nobody" if value is None else f"{value}{unit}"


def _thousandths(outcome: Mapping[str, Any]) -> int | None:
    worst = outcome["worst"]
    return None if worst is None else matching.shown_total(worst)


def _people(count: int) -> str:
    return "One person" if count == 1 else f"{count} people"


def _against(more: int) -> str:
    if more == 0:
        return "no more"
    return f"{abs(more)} {'more' if more > 0 else 'fewer'}"
