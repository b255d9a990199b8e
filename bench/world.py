"""A nation of invented therapists and clients, by column and by seed, for the benches.

Places are the fifty states and the District, drawn by their population (2020 census, in
thousands; U.S. Census Bureau, apportionment table). One therapist in ten has an authority of their
own under a compact, in one to 42 further states. Every other value is drawn by itself from the
shares below, which are invented.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from random import Random

import numpy as np
import numpy.typing as npt

from matching import Client, Payment, Window, Wish
from matching.records import Records
from matching.shards.codes import Codebook, Skillbook
from matching.shards.rows import CURRENCY, IDENTITY, OPEN, SCOPE
from matching.shards.shard import NO_OLDEST, NOT_STATED, STYLE_OPEN
from matching.shards.table import Table

SEED = 20261201
ON = date(2026, 12, 1)
POPULATION = dict(
    item.split(":")
    for item in """
    CA:39538 TX:29146 FL:21538 NY:20201 PA:13003 IL:12813 OH:11799 GA:10712 NC:10439 MI:10077
    NJ:9289 VA:8631 WA:7705 AZ:7152 MA:7030 TN:6911 IN:6786 MD:6177 MO:6155 WI:5894 CO:5774
    MN:5706 SC:5118 AL:5024 LA:4658 KY:4506 OR:4237 OK:3959 CT:3606 UT:3272 IA:3190 NV:3105
    AR:3012 MS:2961 KS:2938 NM:2118 NE:1962 ID:1839 WV:1794 HI:1455 NH:1378 ME:1362 RI:1098
    MT:1084 DE:990 SD:887 ND:779 AK:733 DC:690 VT:643 WY:577
    """.split()
)
PLACES = tuple(f"US-{state}" for state in POPULATION)
SHARES = np.array([int(people) for people in POPULATION.values()], dtype=float)
SHARES /= SHARES.sum()
COMPACT_SHARE, MOST_FURTHER = 0.1, 42

# (kind, how many codes, the share of therapists who have each).
KINDS = (
    ("services", 5, (0.95, 0.35, 0.2, 0.15, 0.1)),
    ("languages", 20, (0.97, 0.15, *(0.02,) * 18)),
    ("formats", 3, (0.85, 0.5, 0.3)),
    ("payments", 4, (0.85, 0.5, 0.35, 0.05)),
    ("insurers", 12, (0.2,) * 12),
    ("approaches", 30, (0.1,) * 30),
    (IDENTITY + "gender", 3, (0.6, 0.25, 0.03)),
    (IDENTITY + "orientation", 4, (0.05,) * 4),
    (IDENTITY + "ethnicity", 6, (0.08,) * 6),
)
CONCERNS = 60
DOMAINS = tuple(f"domain-{each}" for each in range(10))
SKILLED = 0.15
FEES = np.array([0, 4000, 6000, 8000, 10000, 12000, 14000, 16000, 20000, 25000], dtype=np.int32)


@dataclass(frozen=True)
class World:
    table: Table
    clients: list[Client]


def make_world(therapists: int, clients: int, seed: int = SEED, recorded: float = 0.0) -> World:
    """`recorded`: the share of therapists of whose outcomes something is known; 0 is off."""
    table, asking = make_table(therapists, seed), [*make_clients(clients, seed)]
    if not recorded:
        return World(table, asking)
    chance = Random(seed)
    with_domains = [replace(client, domain=chance.choice(DOMAINS)) for client in asking]
    return World(replace(table, records=_records(therapists, recorded, seed)), with_domains)


def make_table(count: int, seed: int = SEED) -> Table:
    chance = np.random.default_rng(seed)
    book, codes = _codes(chance, count)
    skillbook, skills = _skills(chance, count)
    fee = chance.choice(FEES, count).astype(np.int32)
    fee[chance.random(count) < 0.02] = NOT_STATED
    slides = (fee != NOT_STATED) & (fee >= 8000) & (chance.random(count) < 0.5)
    capacity = chance.choice(np.array([0, 0, 1, 2, 3, 4], dtype=np.uint16), count)
    _set(codes, book.add(*OPEN), capacity > 0)
    held_by, held_in = _authority(chance, count)
    return Table(
        ids=chance.integers(0, 2**64, (count, 2), dtype=np.uint64),
        capacity=capacity,
        youngest=chance.choice(np.array([18, 18, 18, 13, 6], dtype=np.uint8), count),
        oldest=chance.choice(np.array([NO_OLDEST, NO_OLDEST, 65], dtype=np.uint8), count),
        fee=fee,
        lowest_fee=np.where(slides, fee // 2, fee).astype(np.int32),
        hours=_hours(chance, count),
        codes=codes,
        skills=skills,
        style=_style(chance, count),
        places=PLACES,
        held_by=held_by,
        held_in=held_in,
        last_day=(ON.toordinal() + chance.integers(-30, 700, len(held_by))).astype(np.int32),
        book=book,
        skillbook=skillbook,
    )


def _records(count: int, share: float, seed: int) -> Records:
    """Of those of whom nothing is known all have the same; the others have their own figures."""
    chance = np.random.default_rng(seed)
    known = np.flatnonzero(chance.random(count) < share)
    which = np.full(count, 1, dtype=np.uint32)
    which[known] = np.arange(2, len(known) + 2, dtype=np.uint32)
    figures = np.full((len(DOMAINS), len(known) + 2, 2), (500, 120), dtype=np.uint16)
    figures[:, 2:, 0] = chance.integers(300, 700, (len(DOMAINS), len(known)))
    figures[:, 2:, 1] = chance.integers(40, 110, (len(DOMAINS), len(known)))
    figures[:, 0, 1] = 0
    return Records.laid_out(DOMAINS, which, figures)


def make_clients(count: int, seed: int = SEED) -> Iterator[Client]:
    chance = Random(seed)
    places = chance.choices(PLACES, SHARES.tolist(), k=count)
    return (_client(chance, place) for place in places)


def _codes(chance: np.random.Generator, count: int) -> tuple[Codebook, npt.NDArray[np.uint64]]:
    book = Codebook()
    stated = [
        (book.add(kind, f"{kind}-{each}"), share)
        for kind, _, shares in KINDS
        for each, share in enumerate(shares)
    ]
    scope = [book.add(SCOPE, str(level)) for level in (1, 2, 3)]
    book.add(*OPEN)
    currency = book.add(CURRENCY, "USD")
    codes = np.zeros((book.words, count), dtype=np.uint64)
    for bit, share in stated:
        _set(codes, bit, chance.random(count, dtype=np.float32) < share)
    acuity = chance.choice(np.array([1, 2, 2, 3]), count)
    for level, bit in enumerate(scope, start=1):
        _set(codes, bit, acuity >= level)
    _set(codes, currency, np.ones(count, dtype=np.bool_))
    return book, codes


def _set(codes: npt.NDArray[np.uint64], bit: int, having: npt.NDArray[np.bool_]) -> None:
    codes[bit // 64] |= having.astype(np.uint64) << np.uint64(bit % 64)


def _skills(chance: np.random.Generator, count: int) -> tuple[Skillbook, npt.NDArray[np.uint8]]:
    book = Skillbook()
    for concern in range(CONCERNS):
        book.add(f"concern-{concern}")
    skills = np.zeros((book.bytes, count), dtype=np.uint8)
    for concern in range(CONCERNS):
        place = book.place(f"concern-{concern}")
        assert place is not None
        skill = chance.integers(1, 4, count, dtype=np.uint8)
        skill[chance.random(count, dtype=np.float32) >= SKILLED] = 0
        skills[place[0]] |= skill << np.uint8(place[1])
    return book, skills


def _authority(
    chance: np.random.Generator, count: int
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint16]]:
    """A home drawn by population, and further places for those with a compact's authority."""
    home = chance.choice(len(PLACES), count, p=SHARES).astype(np.uint16)
    holders = np.flatnonzero(chance.random(count) < COMPACT_SHARE)
    further = chance.integers(1, MOST_FURTHER + 1, len(holders))
    # The first `further` of a random order of the places, the home left out.
    order = chance.random((len(holders), len(PLACES)), dtype=np.float32).argsort(axis=1)
    away = order != home[holders, None]
    taken = away & (away.cumsum(axis=1) <= further[:, None])
    rows, at = np.nonzero(taken)
    held_by = np.concatenate((np.arange(count), holders[rows])).astype(np.uint32)
    return held_by, np.concatenate((home, order[rows, at])).astype(np.uint16)


def _hours(chance: np.random.Generator, count: int) -> npt.NDArray[np.uint64]:
    """Three to five days of seven hours, from 14:00 to 20:00 UTC at the earliest."""
    hours = np.zeros((3, count), dtype=np.uint64)
    first = chance.integers(14, 21, count)
    for weekday in range(6):
        works = chance.random(count) < (0.75 if weekday < 5 else 0.2)
        for hour in range(7):
            bit = 24 * weekday + first + hour
            for word in range(3):
                here = works & (bit // 64 == word)
                hours[word] |= here.astype(np.uint64) << (bit % 64).astype(np.uint64)
    return hours


def _style(chance: np.random.Generator, count: int) -> npt.NDArray[np.uint16]:
    style = (chance.integers(0, 7, (4, count)) * 100).astype(np.uint16)
    style[chance.random((4, count)) < 0.15] = STYLE_OPEN
    return style


def _client(chance: Random, place: str) -> Client:
    return Client(
        place=place,
        on=ON,
        zone="America/New_York",
        birth_year=chance.randint(1946, 2008),
        service="services-0" if chance.random() < 0.8 else "services-1",
        formats=_some(chance, "formats", 3, 2),
        languages=_languages(chance),
        concerns={
            f"concern-{each}": chance.randint(1, 3)
            for each in chance.sample(range(CONCERNS), chance.randint(1, 4))
        },
        acuity=chance.choice((0, 1, 1, 2, 3)),
        payment=_payment(chance),
        windows=_windows(chance),
        style={
            axis: chance.randint(-6, 6) / 2
            for axis in ("directive", "intensity", "past", "warm")
            if chance.random() < 0.5
        },
        wishes=_wishes(chance),
    )


def _some(chance: Random, kind: str, count: int, most: int) -> frozenset[str]:
    chosen = chance.sample(range(count), chance.randint(1, most))
    return frozenset(f"{kind}-{each}" for each in chosen)


def _languages(chance: Random) -> frozenset[str]:
    further = {f"languages-{chance.randint(1, 19)}"} if chance.random() < 0.15 else set()
    return frozenset({"languages-0"} | further)


def _payment(chance: Random) -> Payment | None:
    kind = chance.choices(("self-pay", "insurance", "none"), (6, 3, 1))[0]
    if kind == "none":
        return None
    if kind == "insurance":
        return Payment("payments-1", None)
    return Payment("payments-0", None, chance.choice((6000, 8000, 10000, 12000, 15000)), "USD")


def _windows(chance: Random) -> tuple[Window, ...]:
    days = chance.sample(range(6), chance.randint(1, 3))
    start = chance.choice((9, 12, 15, 17, 18))
    return tuple(Window(day, 60 * start, 60 * start + 180) for day in sorted(days))


def _wishes(chance: Random) -> dict[str, Wish]:
    wishes = {}
    if chance.random() < 0.4:
        wishes["approach"] = Wish(_some(chance, "approaches", 30, 3))
    if chance.random() < 0.3:
        wishes["gender"] = Wish(frozenset({f"{IDENTITY}gender-0"}))
    return wishes


def ids_of(table: Table, rows: Sequence[int]) -> list[str]:
    """The ids of these entries, as text."""
    whole = ((int(table.ids[row, 0]) << 64) | int(table.ids[row, 1]) for row in rows)
    text = (f"{each:032x}" for each in whole)
    return ["-".join((t[:8], t[8:12], t[12:16], t[16:20], t[20:])) for t in text]
