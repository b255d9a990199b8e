"""From an answer sheet to a score. An unanswered item is never a zero."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from practice.intake.instruments import Instrument


class ScoreStatus(enum.StrEnum):
    complete = "complete"
    incomplete = "incomplete"


class OutOfRange(ValueError):
    """An answer that the instrument does not offer. `item` counts from 1."""

    def __init__(self, item: int, value: int) -> None:
        self.item = item
        self.value = value
        super().__init__(f"item {item} has no answer {value}")


class WrongLength(ValueError):
    """A sheet with more or fewer answers than the instrument has items."""


@dataclass(frozen=True)
class Score:
    """`total` and `band` (its code) are None on an incomplete sheet.

    `risk` is judged on incomplete sheets too: None when the risk item itself was not answered, or
    when the instrument has none.
    """

    total: int | None
    band: str | None
    status: ScoreStatus
    risk: bool | None


def score(instrument: Instrument, responses: Sequence[int | None]) -> Score:
    """Score a sheet: one response an item, in order; None is unanswered.

    Raises OutOfRange for an answer that is not an option, WrongLength for a sheet of another
    length. Source: the instrument's own, `instrument.source`.
    """
    _require_answers_of(instrument, responses)
    risk = _risk(instrument, responses)
    answered = [response for response in responses if response is not None]
    if len(answered) < len(instrument.items):
        return Score(None, None, ScoreStatus.incomplete, risk)
    total = sum(answered)
    return Score(total, instrument.band_of(total).code, ScoreStatus.complete, risk)


def _require_answers_of(instrument: Instrument, responses: Sequence[int | None]) -> None:
    if len(responses) != len(instrument.items):
        expected = len(instrument.items)
        raise WrongLength(f"{instrument.code} has {expected} items, not {len(responses)}")
    for item, response in enumerate(responses, 1):
        if response is not None and response not in instrument.values:
            raise OutOfRange(item, response)


def _risk(instrument: Instrument, responses: Sequence[int | None]) -> bool | None:
    if instrument.risk_item is None:
        return None
    response = responses[instrument.risk_item - 1]
    return None if response is None else response > 0
