"""What outcomes say, by domain: two lines that add up, and nothing at all while nobody has any."""

from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import (
    DEFAULT_WEIGHTS,
    BadRow,
    Index,
    Record,
    Therapist,
    explain,
    rank,
    shown_total,
    thousandths,
    why_not,
)
from matching.records import Records
from tests.matching import oracle
from tests.matching.tables import table_of
from tests.matching.worlds import (
    DOMAINS,
    ON,
    easy_client,
    index_of,
    make_client,
    make_therapist,
    random_therapists,
)

seeds = st.integers(min_value=0, max_value=2**32)
steady = settings(max_examples=60, deadline=None, derandomize=True)
UNKNOWN = {"mood": Record(500, 110)}


def test_a_list_with_records_equals_the_oracles_to_the_point() -> None:
    random = Random(71)
    therapists = random_therapists(random, 500)
    index, recorded = Index(therapists, on=ON), 0
    for _ in range(80):
        client = replace(easy_client(random), domain=random.choice(DOMAINS))
        expected = oracle.rank(therapists, client, DEFAULT_WEIGHTS).results
        assert [*map(tuple, rank(index, client, limit=None).results)] == expected
        recorded += sum("little_known" in points for _, points, _ in expected)
    assert recorded > 1_000


def test_only_the_record_of_the_clients_own_domain_counts() -> None:
    known = make_therapist(record={"mood": Record(700, 20), "loss": Record(100, 30)})
    points = {
        domain: rank(index_of(known), make_client(domain=domain)).results[0].points
        for domain in ("mood", "loss", "worry", None)
    }
    assert [points[domain]["record"] for domain in points] == [35_000, 5_000, 25_000, 25_000]
    assert [points[domain].get("little_known") for domain in points] == [1000, 1500, None, None]


def test_where_a_record_weighs_nothing_there_is_no_line_for_the_unknown() -> None:
    weights = replace(DEFAULT_WEIGHTS, record=0, concerns=DEFAULT_WEIGHTS.concerns + 50)
    therapist, client = make_therapist(record=UNKNOWN), make_client(domain="mood")
    index = index_of(therapist)
    [match] = rank(index, client, weights).results
    assert match.points["record"] == 0
    assert "little_known" not in match.points
    assert explain(index, client, therapist.id, weights).points == match.points
    assert oracle.points_of(client, therapist, weights) == match.points


@steady
@given(seeds)
def test_the_lines_add_up_and_the_record_never_passes_its_weight(seed: int) -> None:
    random = Random(seed)
    therapists = random_therapists(random, 40)
    client = replace(easy_client(random), domain=random.choice(DOMAINS))
    index = Index(therapists, on=ON)
    for match in rank(index, client, limit=None).results:
        explanation = explain(index, client, match.id)
        assert explanation.points == match.points
        assert match.total == explanation.total == sum(match.points.values()) <= 1_000_000
        most = 1000 * DEFAULT_WEIGHTS.record
        assert 0 <= match.points["record"] + match.points.get("little_known", 0) <= most
        assert sum(thousandths(match.points).values()) == shown_total(match.total)
    why = why_not(index, client, therapists[0].id, limit=1)
    assert why.gap == sum(why.gaps.values())


@steady
@given(seeds)
def test_a_record_moves_no_other_line_and_nobody_elses_points(seed: int) -> None:
    random = Random(seed)
    therapists = random_therapists(random, 40)
    client = replace(easy_client(random), domain="mood")
    changed = therapists[random.randrange(40)]
    others = [each for each in therapists if each is not changed]
    with_record = [*others, replace(changed, record={"mood": Record(900, 50)})]
    before, after = (_by_id(each, client) for each in (therapists, with_record))
    assert before.keys() == after.keys()
    for each in before.keys() - {changed.id}:
        assert before[each] == after[each]
    if changed.id in before:
        lines = {"record", "little_known"}
        assert _without(before[changed.id], lines) == _without(after[changed.id], lines)


def test_without_any_record_the_list_is_what_it_is_without_a_domain() -> None:
    random = Random(3)
    bare = [replace(each, record={}) for each in random_therapists(random, 200)]
    index = Index(bare, on=ON)
    for _ in range(20):
        client = replace(easy_client(random), domain=None)
        asking = replace(client, domain="mood")
        assert rank(index, asking, limit=None).results == rank(index, client, limit=None).results
    assert not explain(index, asking, bare[0].id).has_record


def test_an_index_keeps_nothing_while_nobody_has_a_record() -> None:
    bare = [replace(each, record={}) for each in random_therapists(Random(5), 50)]
    records = Records.of(each.record for each in bare)
    assert records.nbytes == 0
    assert not records.has("mood")


def test_all_of_whom_nothing_is_known_share_one_entry() -> None:
    few, many = (Records.of([UNKNOWN] * count) for count in (64, 64_000))
    assert many.nbytes - few.nbytes < 5 * 64_000
    assert many.at(63_999) == UNKNOWN


def test_records_change_leave_and_return_as_if_written_anew() -> None:
    random = Random(83)
    therapists = {each.id: each for each in random_therapists(random, 60)}
    index = Index(therapists.values(), on=ON)
    for step in range(400):
        one = therapists[random.choice([*therapists])]
        [drawn] = random_therapists(random, 1)
        changed = replace(one, record=drawn.record, live=random.random() < 0.8)
        therapists[one.id] = changed
        index.put(changed)
        if step % 40 == 0:
            index.compact()
        assert index.therapist(one.id).record == changed.record
    for domain in DOMAINS:
        client = replace(easy_client(random), domain=domain)
        expected = oracle.rank([*therapists.values()], client, DEFAULT_WEIGHTS).results
        assert [*map(tuple, rank(index, client, limit=None).results)] == expected


def test_a_compacted_index_gives_back_what_records_took() -> None:
    many = [make_therapist(number, record={"mood": Record(number, 9)}) for number in range(900)]
    index, bare = Index(many, on=ON), Index([replace(each, record={}) for each in many], on=ON)
    with_records = index.nbytes
    for each in many:
        index.put(replace(each, record={}))
    index.compact()
    bare.compact()
    assert index.nbytes == bare.nbytes < with_records


def test_a_record_survives_being_written_down() -> None:
    one = make_therapist(record={"mood": Record(640, 70), "loss": Record(500, 110)})
    assert Therapist.from_json(one.to_json()) == one
    assert make_therapist().to_json()["record"] is None
    assert Therapist.from_json(make_therapist().to_json()).record == {}


@pytest.mark.parametrize("figures", [(1001, 0), (-1, 0), (700, 301), (500, -1), (500.0, 0)])
def test_a_record_that_cannot_be_right_is_refused_by_row_and_field(figures: Any) -> None:
    bad = make_therapist(2, record={"mood": Record(*figures)})
    with pytest.raises(BadRow) as refusal:
        Index([make_therapist(1), bad], on=ON)
    assert (refusal.value.row, refusal.value.field) == (1, "record.mood")


def test_a_table_with_a_record_beyond_its_weight_is_refused() -> None:
    good = [make_therapist(number, record=UNKNOWN) for number in range(4)]
    records = Records.of([UNKNOWN, UNKNOWN, {"mood": Record(900, 101)}, UNKNOWN])
    with pytest.raises(BadRow) as refusal:
        Index.from_table(replace(table_of(good), records=records), on=ON)
    assert (refusal.value.row, refusal.value.field) == (2, "record")


def test_records_stand_in_the_order_asked_for() -> None:
    records = Records.of([{"mood": Record(each, 1)} for each in (100, 200, 300)])
    turned = records.renumbered(np.array([2, 0, 1]))
    assert [turned.at(slot)["mood"].score for slot in range(3)] == [300, 100, 200]


def _by_id(therapists: list[Therapist], client: Any) -> dict[str, dict[str, int]]:
    found = rank(Index(therapists, on=ON), client, limit=None).results
    return {match.id: match.points for match in found}


def _without(points: dict[str, int], lines: set[str]) -> dict[str, int]:
    return {line: each for line, each in points.items() if line not in lines}
