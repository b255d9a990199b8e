"""Whom the audit of fairness counts, and what happened to each: rows → `matching.Placements`.

Counted is whoever sent their answers in the year before the last four weeks, so that everybody had
the same four weeks to be placed. Of several times the last one counts.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import joinedload

import matching
from core.database import db
from matching import factors
from matching.auditing import NOBODY, Placements
from practice.accounts.models import Client
from practice.consent.models import Purpose
from practice.consent.policy import in_force
from practice.intake.in_words import about_you
from practice.intake.models import Intake
from practice.intake.queries import answers_of
from practice.matches.market.index import client_values, market_at
from practice.matches.models import MatchRequest, Proposal, RequestState, WeightsVersion
from practice.oversight.policy import intakes_audited
from practice.places import place
from practice.therapists.models import Therapist
from practice.vocabularies import vocabulary

COUNTED = timedelta(days=365)
TIME_TO_BE_PLACED = timedelta(days=28)
AT_ONCE = 500
A_DAY = timedelta(days=1)

# What everybody is asked, and what they may choose to state about themselves.
ATTRIBUTES = ("age", "language", "state", "payment", *vocabulary("about_you").codes)
AGES = ((18, 24), (25, 34), (35, 44), (45, 54), (55, 64))
AGED = "65 and over"
ENGLISH = "en"
SEVERAL = "Several of these"

# What a rule took away that the client asked to be taken away is no unfairness.
RULES = ("licence", "capacity", "age", "service", "scope", "language", "payment", "format", "hours")


@dataclass(frozen=True)
class Placed:
    """The first therapist who said yes within the four weeks, and where the yes rests."""

    therapist_id: int
    public_id: str
    answered_at: datetime
    proposal_id: int | None


@dataclass(frozen=True)
class Person:
    """One client: `groups` by attribute, what became of them, and what the rules take away now."""

    groups: Mapping[str, str | None]
    submitted_at: datetime
    placed: Placed | None
    considered: int
    excluded: Mapping[str, int]


@dataclass(frozen=True)
class Period:
    """From when until when the answers were sent that are counted at an instant."""

    since: datetime
    until: datetime

    @classmethod
    def at(cls, at: datetime) -> "Period":
        until = at - TIME_TO_BE_PLACED
        return cls(until - COUNTED, until)


def placements(period: Period, at: datetime) -> Placements:
    """Reads sealed answers a few hundred at a time and keeps only groups and numbers of them."""
    people = list(_people(period, at))
    scores = _scores([one.placed for one in people if one.placed])
    return placements_of(people, scores)


def placements_of(people: Collection[Person], scores: Mapping[Placed, int]) -> Placements:
    """The columns of everybody; `scores` are the points of those for whom they can be known."""
    numbers = {key: row for row, key in enumerate(sorted({*_therapists(people)}))}
    return Placements(
        groups={name: [one.groups[name] for one in people] for name in ATTRIBUTES},
        therapist=_whole(numbers[p.therapist_id] if p else NOBODY for p in _placed(people)),
        placed=np.array([p is not None for p in _placed(people)], dtype=np.bool_),
        score=_real(scores.get(p) if p else None for p in _placed(people)),
        wait=_real(_wait(one) for one in people),
        considered=_whole(one.considered for one in people),
        excluded={rule: _whole(one.excluded[rule] for one in people) for rule in RULES},
    )


def groups_of(client: Client, answers: Mapping[str, Any], at: datetime) -> dict[str, str | None]:
    """Which group somebody is in, by what they said; None where they skipped it."""
    birth_year, payment = answers.get("birth-year"), answers.get("payment")
    return {
        "age": age_band(at.year - birth_year) if birth_year else None,
        "language": language_group(answers.get("languages") or ()),
        "state": place(client.place).name if client.place else None,
        "payment": vocabulary("payments").label(payment["kind"]) if payment else None,
        **_stated(answers.get("about-you") or {}),
    }


def _stated(about: Mapping[str, Collection[str]]) -> dict[str, str | None]:
    """What they said of themselves; whoever said several things under one name is one group."""
    names = vocabulary("about_you").codes
    return {name: _stated_group(name, about.get(name, ())) for name in names}


def _stated_group(name: str, codes: Collection[str]) -> str | None:
    if len(codes) > 1:
        return SEVERAL
    return next(iter(about_you(name).labels(codes)), None)


def age_band(age: int) -> str:
    """ "25 to 34"; whoever turns eighteen this year belongs to the first."""
    return next((f"{low} to {high}" for low, high in AGES if age <= high), AGED)


def language_group(codes: Collection[str]) -> str | None:
    """English only, or the other language, with English or without; several others are one group.

    So nobody is in two groups, and speaking English as well changes nothing.
    """
    others = sorted(set(codes) - {ENGLISH})
    if not codes:
        return None
    if not others:
        return "English only"
    return vocabulary("languages").label(others[0]) if len(others) == 1 else "Several others"


def _people(period: Period, at: datetime) -> Iterator[Person]:
    newest = dict(_submissions(period))
    placed = _placed_since(period)
    for some in _batches(newest.values()):
        for intake, has_scores in _read(some):
            yield _person(intake, placed.get(intake.client_id, ()), has_scores, at)
        # Nothing that was unsealed stays in memory.
        db.session.expunge_all()


def _submissions(period: Period) -> Iterator[tuple[int, int]]:
    """(client, intake) from the oldest to the newest."""
    rows = intakes_audited(period.since, period.until).order_by(Intake.submitted_at, Intake.id)
    for row in db.session.execute(rows.with_only_columns(Intake.client_id, Intake.id)):
        yield row[0], row[1]


def _read(keys: Collection[int]) -> Iterator[tuple[Intake, bool]]:
    """Each with whether its scores may count."""
    counts = in_force(Purpose.assessment, Intake.client_id)
    rows = sa.select(Intake, counts).where(Intake.id.in_(keys)).order_by(Intake.id)
    for row in db.session.execute(rows.options(joinedload(Intake.client))):
        yield row[0], bool(row[1])


def _placed_since(period: Period) -> dict[int, list[Placed]]:
    """By client, the earliest answer first."""
    yes = (RequestState.accepted, RequestState.met)
    rows = (
        sa.select(MatchRequest.client_id, *_PLACED)
        .join(Therapist, Therapist.id == MatchRequest.therapist_id)
        .where(MatchRequest.state.in_(yes), MatchRequest.sent_at >= period.since)
        .where(MatchRequest.answered_at.is_not(None))
        .order_by(MatchRequest.answered_at, MatchRequest.id)
    )
    found: dict[int, list[Placed]] = {}
    for client_id, therapist_id, public_id, answered_at, proposal_id in db.session.execute(rows):
        placed = Placed(therapist_id, str(public_id), answered_at, proposal_id)
        found.setdefault(client_id, []).append(placed)
    return found


_PLACED = (
    MatchRequest.therapist_id,
    Therapist.public_id,
    MatchRequest.answered_at,
    MatchRequest.proposal_id,
)


def _person(intake: Intake, yes: Iterable[Placed], has_scores: bool, at: datetime) -> Person:
    client, answers, submitted = intake.client, answers_of(intake), intake.submitted_at
    assert submitted is not None
    in_time = (p for p in yes if submitted <= p.answered_at <= submitted + TIME_TO_BE_PLACED)
    considered, excluded = _taken_away(client, answers, has_scores, at)
    groups = groups_of(client, answers, at)
    return Person(groups, submitted, next(in_time, None), considered, excluded)


def _taken_away(
    client: Client, answers: Mapping[str, Any], has_scores: bool, at: datetime
) -> tuple[int, dict[str, int]]:
    """How many therapists there are today, and how many of them each rule takes away."""
    if not client.place:
        return 0, dict.fromkeys(RULES, 0)
    values = client_values(client, answers, at, with_scores=has_scores)
    with market_at(at, client.place).held() as index:
        ranking = index.rank(values, limit=1)
        excluded = ranking.excluded
    return ranking.considered, {rule: excluded.get(rule, 0) for rule in RULES}


def _scores(placed: Iterable[Placed]) -> dict[Placed, int]:
    """Replayed from what was kept: the points that the client saw beside this therapist."""
    weights = {one.version: one for one in _all_weights()}
    by_proposal = {one.proposal_id: one for one in placed if one.proposal_id is not None}
    found = {}
    for some in _batches(by_proposal):
        rows = sa.select(Proposal).where(Proposal.id.in_(some)).order_by(Proposal.id)
        for proposal in db.session.scalars(rows.options(joinedload(Proposal.client))):
            score = _replayed(proposal, by_proposal[proposal.id].public_id, weights)
            if score is not None:
                found[by_proposal[proposal.id]] = score
        db.session.expunge_all()
    return found


def _replayed(
    proposal: Proposal, public_id: str, weights: Mapping[int, matching.Weights]
) -> int | None:
    """None when another engine, or weights that are gone, made it."""
    shown = next((one for one in proposal.shown if one["id"] == public_id), None)
    used = weights.get(proposal.weights_version)
    if shown is None or used is None or proposal.engine_version != matching.ENGINE_VERSION:
        return None
    client = matching.Client.from_json(proposal.client_inputs)
    lines = factors.lines(client, matching.Therapist.from_json(shown), used)
    return sum(line.points for line in lines)


def _all_weights() -> Iterator[matching.Weights]:
    yield matching.DEFAULT_WEIGHTS
    for row in db.session.scalars(sa.select(WeightsVersion).order_by(WeightsVersion.version)):
        yield matching.Weights.from_mapping(row.version, row.weights)


def _batches(keys: Iterable[int]) -> Iterator[list[int]]:
    rest = iter(list(keys))
    while some := list(islice(rest, AT_ONCE)):
        yield some


def _placed(people: Iterable[Person]) -> Iterator[Placed | None]:
    return (one.placed for one in people)


def _therapists(people: Iterable[Person]) -> Iterator[int]:
    return (placed.therapist_id for placed in _placed(people) if placed)


def _wait(person: Person) -> float | None:
    if person.placed is None:
        return None
    return (person.placed.answered_at - person.submitted_at) / A_DAY


def _whole(values: Iterable[int]) -> Any:
    return np.array(list(values), dtype=np.int64)


def _real(values: Iterable[float | None]) -> Any:
    return np.array([np.nan if each is None else each for each in values], dtype=np.float64)
