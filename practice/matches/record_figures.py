"""Whether what is stored of a record, or of a count, is one, in every figure read from it.

The shapes are what `practice.outcomes.learning` keeps. All of it is looked at, also what only one
page says: of a row that is damaged anywhere nothing is believed.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Any

import matching
from matching.learning.calibrating import Verdict
from matching.terms import FULL
from practice.matches.market.domains import DOMAINS

Figures = Mapping[str, Any]


def check(figures: Figures) -> None:
    """Raises AttributeError, KeyError, TypeError or ValueError for what is no record."""
    _require(_is_counting(counting_of(figures)))
    _require(figures["domains"].keys() <= set(DOMAINS))
    _require(all(_is_told(each) for each in figures["domains"].values()))
    if figures["cases"] is not None:
        # With too few cases there are none of these.
        _require(_is_count(figures["cases"]))
        _require(all(_is_number(figures[name]) for name in ("severity", "adjustment")))
        _require(_is_interval(figures["overall"]))


def check_count(figures: Figures) -> None:
    """As `check`, for the figures of everybody together."""
    Verdict(figures["verdict"])
    _require(_is_count(figures["therapists"]))
    _require(_is_count(figures["bonus"]) and figures["bonus"] <= FULL)
    bounds = [figures[name] for name in ("low", "ratio", "high")]
    _require(all(each is None or _is_number(each) for each in bounds))


def counting_of(figures: Figures) -> dict[str, matching.Record]:
    return {domain: matching.Record(*each) for domain, each in figures["counting"].items()}


def _is_counting(records: Mapping[str, matching.Record]) -> bool:
    """Whether the engine would take them, and with them the therapist."""
    figures = [figure for record in records.values() for figure in record]
    is_sound = all(type(each) is int and 0 <= each <= FULL for each in figures)
    return is_sound and records.keys() <= set(DOMAINS)


def _is_told(each: Figures) -> bool:
    return _is_count(each["cases"]) and _is_interval(each["effect"])


def _is_interval(figures: Any) -> bool:
    return (
        isinstance(figures, list)
        and len(figures) == 3
        and all(_is_number(each) for each in figures)
    )


def _is_count(figure: Any) -> bool:
    return type(figure) is int and figure >= 0


def _is_number(figure: Any) -> bool:
    return type(figure) in (int, float) and isfinite(figure)


def _require(is_so: bool) -> None:
    if not is_so:
        raise ValueError
