"""From a therapist's values to a row of columns, and back without loss of a point."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

import numpy as np

from matching.factors import STEP, hundredths
from matching.hours import HOURS_A_WEEK
from matching.model import Therapist
from matching.records import ByDomain
from matching.shards.codes import Codebook, Skillbook, joined, split
from matching.shards.shard import (
    NO_OLDEST,
    NOT_STATED,
    STYLE_OPEN,
    WORDS_A_WEEK,
    Row,
    Shard,
)
from matching.terms import STYLE_AXES, STYLE_LIMIT, TOP_ACUITY

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
SCOPES = tuple(str(level) for level in range(1, TOP_ACUITY + 1))
CURRENCY = "currency"
NO_CURRENCY = ""
LOWEST_STYLE = hundredths(-STYLE_LIMIT)


def row_of(therapist: Therapist, book: Codebook, skills: Skillbook) -> Row:
    """The values of a checked, live therapist. New codes are added to the books."""
    codes = book.row((kind, code) for kind, some in stated_by(therapist) for code in some)
    code_words, hour_words = split(codes, book.words), split(therapist.hours, WORDS_A_WEEK)
    return Row(
        *figures_of(therapist),
        hours=hour_words,
        codes=code_words,
        skills=skills.row(therapist.concerns),
        style=np.array(styles_of(therapist), dtype=np.uint16),
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


def figures_of(therapist: Therapist) -> tuple[int, int, int, int, int]:
    """Capacity, youngest, oldest, fee and lowest fee, as a shard holds them."""
    youngest, oldest = therapist.ages
    fee, lowest = therapist.fee, therapist.lowest_fee
    return (
        therapist.capacity,
        youngest,
        NO_OLDEST if oldest is None else oldest,
        NOT_STATED if fee is None else fee,
        NOT_STATED if lowest is None else lowest,
    )


def styles_of(therapist: Therapist) -> list[int]:
    """By axis, in hundredths of a step above the lowest."""
    style = therapist.style
    return [place_on_axis(style[axis]) if axis in style else STYLE_OPEN for axis in STYLE_AXES]


def stated_by(therapist: Therapist) -> Iterator[tuple[str, Iterable[str]]]:
    """Each kind of codes, with those of it that this therapist has.

    Whoever works up to an acuity has the code of each one up to it; nobody needs one for 0.
    """
    for kind in STATED:
        yield kind, getattr(therapist, kind)
    for attribute, own in therapist.identities.items():
        yield IDENTITY + attribute, own
    yield SCOPE, SCOPES[: therapist.acuity_max]
    yield CURRENCY, (therapist.currency or NO_CURRENCY,)
    if therapist.capacity > 0:
        yield OPEN[0], OPEN[1:]


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
