"""An index that changes answers as one that was built of what it has become."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from threading import Event, Thread

import pytest

from matching import DEFAULT_WEIGHTS, BadRow, Client, Index, Therapist, UnknownTherapist, rank
from tests.matching import oracle
from tests.matching.tables import table_of
from tests.matching.worlds import (
    ON,
    PLACES,
    index_of,
    make_client,
    make_therapist,
    random_client,
    random_therapist,
    random_therapists,
)

MOMENT = timedelta(microseconds=1)

# Place, its zone, the last day, and the instant at which that day ends there: on plain days, on
# those on which the clocks change, by an hour or by half of one, and at midnight itself.
MIDNIGHTS = [
    ("US-WA", "America/Los_Angeles", date(2026, 12, 1), datetime(2026, 12, 2, 8, tzinfo=UTC)),
    ("US-WA", "America/Los_Angeles", date(2026, 10, 31), datetime(2026, 11, 1, 7, tzinfo=UTC)),
    ("US-WA", "America/Los_Angeles", date(2026, 11, 1), datetime(2026, 11, 2, 8, tzinfo=UTC)),
    ("US-WA", "America/Los_Angeles", date(2026, 3, 8), datetime(2026, 3, 9, 7, tzinfo=UTC)),
    ("AU-NSW", "Australia/Lord_Howe", date(2026, 4, 4), datetime(2026, 4, 4, 13, tzinfo=UTC)),
    ("AU-NSW", "Australia/Lord_Howe", date(2026, 4, 5), datetime(2026, 4, 5, 13, 30, tzinfo=UTC)),
    ("AU-NSW", "Australia/Lord_Howe", date(2026, 10, 4), datetime(2026, 10, 4, 13, tzinfo=UTC)),
    # Cuba's clocks go from 0:00 to 1:00 in spring, so that this day begins at one o'clock,
    ("CU-03", "America/Havana", date(2026, 3, 7), datetime(2026, 3, 8, 5, tzinfo=UTC)),
    # and back from 1:00 to 0:00 in autumn: it is midnight twice, and the first one counts.
    ("CU-03", "America/Havana", date(2026, 10, 31), datetime(2026, 11, 1, 4, tzinfo=UTC)),
]
ZONES = {place: zone for place, zone, _, _ in MIDNIGHTS} | {
    "US-OR": "America/Los_Angeles",
    "US-CA": "America/Los_Angeles",
    "US-NY": "America/New_York",
}


@dataclass
class Known:
    """An index that changes, those who should be in it, and what time it is."""

    index: Index
    therapists: dict[str, Therapist]
    at: datetime = datetime(2026, 11, 30, 12, tzinfo=UTC)

    @classmethod
    def of(cls, therapists: list[Therapist]) -> "Known":
        index = Index(therapists, on=ON, zone_of=ZONES.__getitem__)
        return cls(index, {each.id: each for each in therapists})

    @property
    def in_force(self) -> list[Therapist]:
        return [_in_force(each, self.at) for each in self.therapists.values()]

    def one(self, random: Random) -> Therapist:
        return self.therapists[random.choice([*self.therapists])]

    def put(self, therapist: Therapist) -> None:
        self.index.put(therapist)
        self.therapists[therapist.id] = therapist


def test_an_index_that_changed_answers_as_the_oracle_does(proving: bool) -> None:
    random = Random(20261122)
    known = Known.of(random_therapists(random, 800 if proving else 120))
    for step in range(5_000 if proving else 600):
        random.choice(CHANGES)(random, known)
        if step % 10 == 0:
            client = random_client(random, known.therapists.values())
            day = ON + timedelta(days=random.choice((0, 0, 1, 3)))
            _agrees_with_oracle(known.index, known.in_force, replace(client, on=day))
    assert known.at > datetime(2026, 12, 2, tzinfo=UTC)
    assert len(known.index) == sum(each.live for each in known.therapists.values())


def test_however_an_index_came_about_it_answers_the_same(proving: bool) -> None:
    random = Random(5)
    known = Known.of(random_therapists(random, 300))
    for _ in range(2_000 if proving else 300):
        random.choice(CHANGES)(random, known)
    therapists = known.in_force
    put = Index([], on=ON)
    for each in random.sample(therapists, len(therapists)):
        put.put(each)
    loaded = Index.from_table(table_of([each for each in therapists if each.live]), on=ON)
    for each in therapists:
        if not each.live:
            loaded.put(each)
    for index in (known.index, put, loaded):
        _same(index, Index(therapists, on=ON), random, [*known.therapists])


def test_a_compacted_index_answers_the_same_in_less_memory() -> None:
    random = Random(29)
    therapists = random_therapists(random, 400)
    index = Index(therapists, on=ON)
    for each in therapists[:300]:
        index.remove(each.id)
    before = index.nbytes
    index.compact()
    assert index.nbytes < before / 2
    _same(index, Index(therapists[300:], on=ON), random, [each.id for each in therapists[300:]])


def test_a_change_is_seen_by_the_next_question_and_counts_as_a_version() -> None:
    index, client = index_of(make_therapist()), make_client()
    assert (index.version, len(rank(index, client).results)) == (0, 1)
    index.put(make_therapist(capacity=0))
    assert (index.version, len(rank(index, client).results)) == (1, 0)
    index.put(make_therapist(authority={"US-OR": date(2027, 6, 30)}))
    assert rank(index, client).excluded["licence"] == 1
    assert len(rank(index, replace(client, place="US-OR")).results) == 1
    index.remove(make_therapist().id)
    assert (index.version, len(index)) == (3, 0)
    assert make_therapist().id not in index


def test_whoever_rests_is_found_again_when_they_return() -> None:
    index = index_of(make_therapist(1), make_therapist(2))
    index.put(make_therapist(1, live=False))
    assert [each.id for each in rank(index, make_client()).results] == [make_therapist(2).id]
    assert not index.therapist(make_therapist(1).id).live
    index.put(make_therapist(1))
    assert len(rank(index, make_client()).results) == len(index) == 2


def test_a_code_that_nobody_had_before_is_known_from_then_on() -> None:
    index = Index(random_therapists(Random(31), 100), on=ON)
    client = Client(place="US-WA", on=ON, languages=frozenset({"cy"}), concerns={"hoarding": 2})
    assert rank(index, client).results == ()
    index.put(make_therapist(languages=frozenset({"cy"}), concerns={"hoarding": 3}))
    [match] = rank(index, client).results
    assert match.points["concerns"] == 300_000
    assert match.points["language"] == 70_000


def test_a_bad_change_is_refused_and_changes_nothing() -> None:
    index = index_of(make_therapist())
    with pytest.raises(BadRow) as refusal:
        index.put(make_therapist(fee=-1))
    assert refusal.value.field == "fee"
    with pytest.raises(UnknownTherapist):
        index.remove(make_therapist(2).id)
    assert index.version == 0
    assert index.therapist(make_therapist().id) == make_therapist()


@pytest.mark.parametrize(("place", "zone", "last_day", "ends"), MIDNIGHTS)
def test_authority_ends_at_the_midnight_of_its_own_zone(
    place: str, zone: str, last_day: date, ends: datetime
) -> None:
    therapist = make_therapist(authority={place: last_day, "US-NY": date(2030, 1, 1)})
    index = Index([therapist], on=last_day, zone_of=ZONES.__getitem__)
    client = Client(place=place, on=last_day)
    assert index.next_expiry == ends
    assert index.expire(ends - MOMENT) == 0
    assert len(rank(index, client).results) == 1
    assert index.expire(ends) == 1
    assert rank(index, client).results == ()
    assert rank(index, client).excluded["licence"] == 1
    assert [*index.therapist(therapist.id).authority] == ["US-NY"]


def test_an_index_at_an_instant_is_one_built_of_what_is_in_force_then() -> None:
    random = Random(37)
    therapists = [_with_near_ends(random, each) for each in random_therapists(random, 200)]
    index = Index(therapists, on=ON, zone_of=ZONES.__getitem__)
    ended = 0
    while (at := index.next_expiry) is not None and at < datetime(2026, 12, 4, tzinfo=UTC):
        ended += index.expire(at)
        in_force = [_in_force(each, at) for each in therapists]
        _same(index, Index(in_force, on=ON), random, [each.id for each in therapists])
    assert ended > 100
    assert index.version >= 3
    before = index.nbytes
    index.compact()
    assert index.nbytes < before
    _same(index, Index(in_force, on=ON), random, [each.id for each in therapists])


def test_what_comes_after_an_expiry_is_judged_by_it_too() -> None:
    index = Index([make_therapist(1)], on=ON, zone_of=ZONES.__getitem__)
    index.expire(datetime(2026, 12, 2, 8, tzinfo=UTC))
    for place in ("US-WA", "US-OR"):
        index.put(make_therapist(2, authority={place: date(2026, 12, 1)}))
        client = make_client(place=place)
        assert make_therapist(2).id not in [each.id for each in rank(index, client).results]
    index.put(make_therapist(3, live=False, authority={"US-WA": date(2026, 12, 1)}))
    assert index.therapist(make_therapist(3).id).authority == {}


def test_time_never_runs_backwards_and_always_has_a_zone() -> None:
    index = Index([make_therapist()], on=ON, zone_of=ZONES.__getitem__)
    assert index.expire(datetime(2028, 1, 1, tzinfo=UTC)) == 1
    assert index.expire(datetime(2026, 1, 1, tzinfo=UTC)) == 0
    assert rank(index, make_client()).results == ()
    assert index.next_expiry is None
    with pytest.raises(ValueError, match="zone"):
        index.expire(datetime(2028, 1, 1))  # noqa: DTZ001


def test_a_place_whose_zone_nobody_knows_is_refused_and_changes_nothing() -> None:
    index = Index([make_therapist(1)], on=ON, zone_of=ZONES.__getitem__)
    index.expire(datetime(2026, 12, 1, tzinfo=UTC))
    for number in (1, 2):
        with pytest.raises(KeyError):
            index.put(make_therapist(number, authority={"US-HI": ON}))
    assert (len(index), index.version) == (1, 0)
    assert index.therapist(make_therapist(1).id) == make_therapist(1)
    assert make_therapist(2).id not in index


def test_a_reader_never_sees_half_a_change() -> None:
    """Every ranking asked for during changes is the oracle's of a version between its two ends."""
    random = Random(41)
    therapists = [_everywhere(random, each) for each in random_therapists(random, 30)]
    clients = [Client(place=place, on=ON) for place in PLACES]
    index, states = Index(therapists, on=ON), [therapists]
    done, seen = Event(), []

    def read(client: Client) -> None:
        while not done.is_set():
            first = index.version
            results = rank(index, client, limit=None).results
            seen.append((first, index.version, client, [*map(tuple, results)]))

    readers = [Thread(target=read, args=(client,)) for client in clients]
    with _switching_often():
        for reader in readers:
            reader.start()
        for _ in range(400):
            states.append(_changed_once(random, index, states[-1]))
        done.set()
        for reader in readers:
            reader.join()
    assert len({first for first, *_ in seen}) > 10
    assert all(_is_of_a_version(states, *each) for each in seen)


def _put_new(random: Random, known: Known) -> None:
    known.put(random_therapist(random))


def _put_other(random: Random, known: Known) -> None:
    known.put(replace(random_therapist(random), id=known.one(random).id))


def _put_capacity(random: Random, known: Known) -> None:
    known.put(replace(known.one(random), capacity=random.choice((0, 1, 3))))


def _add_licence(random: Random, known: Known) -> None:
    one, place = known.one(random), random.choice(PLACES)
    until = known.at.date() + timedelta(days=random.choice((-1, 0, 1, 90)))
    known.put(replace(one, authority={**one.authority, place: until}))


def _remove_licence(random: Random, known: Known) -> None:
    one = known.one(random)
    known.put(replace(one, authority=dict([*one.authority.items()][1:])))


def _remove(random: Random, known: Known) -> None:
    if len(known.therapists) > 20:
        gone = known.one(random).id
        known.index.remove(gone)
        del known.therapists[gone]


def _let_time_pass(random: Random, known: Known) -> None:
    known.at += timedelta(minutes=random.choice((1, 30, 90)))
    known.index.expire(known.at)


def _wait_for_midnight(random: Random, known: Known) -> None:
    ends = known.index.next_expiry
    if ends is not None and ends < known.at + timedelta(days=1) and random.random() < 0.1:
        known.at = ends
        assert known.index.expire(ends) > 0


def _compact(random: Random, known: Known) -> None:
    if random.random() < 0.2:
        known.index.compact()


CHANGES: list[Callable[[Random, Known], None]] = [
    _put_new,
    _put_other,
    _put_capacity,
    _add_licence,
    _remove_licence,
    _remove,
    _let_time_pass,
    _wait_for_midnight,
    _compact,
]


def _agrees_with_oracle(index: Index, therapists: list[Therapist], client: Client) -> None:
    expected = oracle.rank(therapists, client, DEFAULT_WEIGHTS)
    ranking = rank(index, client, limit=None)
    assert [*map(tuple, ranking.results)] == expected.results
    assert ranking.considered == expected.considered
    assert {rule: n for rule, n in ranking.excluded.items() if n} == expected.excluded
    assert index.market(client).gains == oracle.market(therapists, client)


def _same(index: Index, other: Index, random: Random, ids: list[str]) -> None:
    assert len(index) == len(other)
    for _ in range(20):
        client = random_client(random)
        ours, theirs = rank(index, client, limit=None), rank(other, client, limit=None)
        assert ours == theirs
        assert ours.excluded == theirs.excluded
        assert index.market(client) == other.market(client)
    for each in ids:
        assert index.therapist(each) == other.therapist(each)


def _with_near_ends(random: Random, therapist: Therapist) -> Therapist:
    places = random.sample([*ZONES], 3)
    until = [ON + timedelta(days=random.choice((-1, 0, 1, 60))) for _ in places]
    return replace(therapist, authority=dict(zip(places, until, strict=True)))


def _in_force(therapist: Therapist, at: datetime) -> Therapist:
    kept = {
        place: until
        for place, until in therapist.authority.items()
        if at < oracle.end_of(until, ZONES[place])
    }
    return replace(therapist, authority=kept)


def _everywhere(random: Random, therapist: Therapist) -> Therapist:
    """Live and open, in a few places: a change writes several rows."""
    places = random.sample(PLACES, random.randint(1, len(PLACES)))
    authority = dict.fromkeys(places, ON + timedelta(days=30))
    capacity, concerns = random.randint(0, 2), therapist.concerns
    return replace(therapist, live=True, authority=authority, capacity=capacity, concerns=concerns)


def _changed_once(random: Random, index: Index, before: list[Therapist]) -> list[Therapist]:
    number = random.randrange(len(before))
    if random.random() < 0.2 and len(before) > 15:
        index.remove(before[number].id)
        return before[:number] + before[number + 1 :]
    changed = _everywhere(random, random_therapist(random))
    if random.random() < 0.8:
        changed = replace(changed, id=before[number].id)
        index.put(changed)
        return [*before[:number], changed, *before[number + 1 :]]
    index.put(changed)
    return [*before, changed]


def _is_of_a_version(
    states: list[list[Therapist]],
    first: int,
    last: int,
    client: Client,
    results: list[tuple[str, dict[str, int], int]],
) -> bool:
    versions = (oracle.rank(state, client, DEFAULT_WEIGHTS) for state in states[first : last + 1])
    return any(version.results == results for version in versions)


class _switching_often:  # noqa: N801
    """Threads give way after every few steps."""

    def __enter__(self) -> None:
        self.before = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)

    def __exit__(self, *_failure: object) -> None:
        sys.setswitchinterval(self.before)
