"""From a therapist's values to a row of columns, and back without loss of a point."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date

import numpy as np

from matching.codes import Codebook, Skillbook, joined, split
from matching.factors import STEP, hundredths
from matching.hours import HOURS_A_WEEK
from matching.model import Therapist
from matching.records import ByDomain
from matching.shard import (
    NO_OLDEST,
    NOT_STATED,
    STYLE_OPEN,
    WORDS_A_WEEK,
    Row,
    Shard,
)
from matching.terms import STYLE_AXES, STYLE_LIMIT

# Kinds of codes: what a therapist states, and what rules and factors ask about as if it were one.
STATED = SERVICE, LANGUAGE, FORMAT, PAYMENT, INSURER, APPROACH_KIND = (
    "services",
    "languages",
    "formats",
    "payments",
    "insurers",
    "approaches",
)
IDENTITY = "identity."
OPEN = ("open", "")
SCOPE = "scope"
CURRENCY = "currency"
NO_CURRENCY = ""
LOWEST_STYLE = hundredths(-STYLE_LIMIT)


def row_of(therapist: Therapist, book: Codebook, skills: Skillbook) -> Row:
    """The values of a checked, live therapist. New codes are added to the books."""
    codes = book.row(_codes(therapist))
    code_words, hour_words = split(codes, book.words), split(therapist.hours, WORDS_A_WEEK)
    return Row(
        capacity=therapist.capacity,
        youngest=therapist.ages[0],
        oldest=NO_OLDEST if therapist.ages[1] is None else therapist.ages[1],
        fee=NOT_STATED if therapist.fee is None else therapist.fee,
        lowest_fee=NOT_STATED if therapist.lowest_fee is None else therapist.lowest_fee,
        hours=hour_words,
        codes=code_words,
        skills=skills.row(therapist.concerns),
        style=np.array([_place(therapist, axis) for axis in STYLE_AXES], dtype=np.uint16),
        flags=np.unpackbits(code_words.view(np.uint8), bitorder="little")[: len(book)],
        hour_flags=np.unpackbits(hour_words.view(np.uint8), bitorder="little")[:HOURS_A_WEEK],
    )


def therapist_at(
    shard: Shard,
    number: int,
    therapist_id: str,
    authority: Mapping[str, date],
    record: ByDomain,
    book: Codebook,
    skills: Skillbook,
) -> Therapist:
    """The therapist whose row this is. A style comes back in hundredths of a step."""
    stated: dict[str, set[str]] = defaultdict(set)
    for kind, code in book.stated(joined(shard.codes[:, number])):
        stated[kind].add(code)
    fee, lowest = int(shard.fee[number]), int(shard.lowest_fee[number])
    oldest = int(shard.oldest[number])
    return Therapist(
        id=therapist_id,
        authority=authority,
        capacity=int(shard.capacity[number]),
        ages=(int(shard.youngest[number]), None if oldest == NO_OLDEST else oldest),
        acuity_max=len(stated[SCOPE]),
        fee=None if fee == NOT_STATED else fee,
        sliding_from=None if lowest == fee else lowest,
        currency=min(stated[CURRENCY]) or None,
        hours=joined(shard.hours[:, number]),
        concerns=skills.stated(shard.skills[:, number]),
        style=_style(shard, number),
        identities=_identities(stated),
        record=record,
        services=frozenset(stated[SERVICE]),
        languages=frozenset(stated[LANGUAGE]),
        formats=frozenset(stated[FORMAT]),
        payments=frozenset(stated[PAYMENT]),
        insurers=frozenset(stated[INSURER]),
        approaches=frozenset(stated[APPROACH_KIND]),
    )


def scope_codes(acuity: int) -> Iterator[tuple[str, str]]:
    """Whoever works up to an acuity has the code of each one up to it; nobody needs one for 0."""
    return ((SCOPE, str(level)) for level in range(1, acuity + 1))


def _codes(therapist: Therapist) -> Iterator[tuple[str, str]]:
    for kind in STATED:
        for code in getattr(therapist, kind):
            yield kind, code
    for attribute, own in therapist.identities.items():
        for code in own:
            yield IDENTITY + attribute, code
    yield from scope_codes(therapist.acuity_max)
    yield CURRENCY, therapist.currency or NO_CURRENCY
    if therapist.capacity > 0:
        yield OPEN


def _place(therapist: Therapist, axis: str) -> int:
    return place_on_axis(therapist.style[axis]) if axis in therapist.style else STYLE_OPEN


def place_on_axis(value: float) -> int:
    """Where a value from −3 to +3 stands, in hundredths of a step above the lowest."""
    return hundredths(value) - LOWEST_STYLE


def _style(shard: Shard, number: int) -> dict[str, float]:
    places = zip(STYLE_AXES, shard.style[:, number].tolist(), strict=True)
    return {axis: (at + LOWEST_STYLE) / STEP for axis, at in places if at != STYLE_OPEN}


def _identities(stated: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    return {
        kind.removeprefix(IDENTITY): frozenset(codes)
        for kind, codes in stated.items()
        if kind.startswith(IDENTITY)
    }
