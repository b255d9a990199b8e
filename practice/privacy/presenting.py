"""What the pages of the client's rights show, gathered from rows and rules."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.audit import AuditEntry
from core.config import current_settings
from core.money import format_money
from practice.accounts.models import Client, SignInSession
from practice.care.models import Episode
from practice.care.queries import openings_tally
from practice.consent.models import Signature
from practice.groups.models import Enrolment
from practice.intake.models import Assessment, Intake, RiskFlag
from practice.matches.models import MatchRequest, Proposal
from practice.payments.queries import payment_lines
from practice.privacy import queries
from practice.privacy.forgetting import latest_days
from practice.privacy.holdings import BY_KEY, HOLDINGS, OF_WHICH, STAYS_BECAUSE, Holding
from practice.privacy.keeping import Stays, stays_of
from practice.privacy.models import Because, Restriction
from practice.waiting.models import WaitingEntry
from practice.when import date_words

Row = tuple[Any, Any, str, str]

COUNTED: dict[str, Row] = {
    "account": (SignInSession, SignInSession.created_at, "browser", "browsers"),
    "answers": (Intake, Intake.started_at, "time you answered", "times you answered"),
    "scores": (Assessment, Assessment.taken_at, "questionnaire", "questionnaires"),
    "flags": (RiskFlag, RiskFlag.raised_at, "worry", "worries"),
    "matches": (Proposal, Proposal.made_at, "list or single sum", "lists and single sums"),
    "waiting": (WaitingEntry, WaitingEntry.joined_at, "time on the list", "times on the list"),
    "requests": (MatchRequest, MatchRequest.sent_at, "request", "requests"),
    "care": (Episode, Episode.opened_at, "time in care", "times in care"),
    "groups": (Enrolment, Enrolment.created_at, "group", "groups"),
    "consents": (Signature, Signature.signed_at, "signature", "signatures"),
}


NEVER = datetime.max.replace(tzinfo=UTC)
# Of these something goes in any case: the way in, and copies of mails.
ALWAYS_GOES = frozenset({"account", "mails"})
# Lines of the log lose the name and stay.
STAYS_NAMELESS = frozenset({"openings"})


@dataclass(frozen=True)
class Tally:
    """How many things of one kind there are; `last` is the newest one's instant, if any."""

    count: int
    last: datetime | None
    one: str
    many: str

    @property
    def words(self) -> str:
        return f"{self.count} {self.one if self.count == 1 else self.many}"


@dataclass(frozen=True)
class MapLine:
    """One kind of data on the map; `tally` is None where counting would say nothing."""

    holding: Holding
    tally: Tally | None

    @property
    def is_empty(self) -> bool:
        return self.tally is not None and self.tally.count == 0


def map_of(session: Session, client: Client) -> list[MapLine]:
    """Every kind of data with what there is of this client's, in the order of the registry."""
    tallies = tallies_of(session, client)
    return [MapLine(holding, tallies.get(holding.key)) for holding in HOLDINGS]


def tallies_of(session: Session, client: Client) -> dict[str, Tally]:
    tallies = {key: _tally(session, client, row) for key, row in COUNTED.items()}
    paid = [line.paid_at for line in payment_lines(session, client) if line.paid_at]
    tallies["payments"] = Tally(len(paid), max(paid, default=None), "payment", "payments")
    opened, last = openings_tally(client)
    tallies["openings"] = Tally(opened, last, "opening", "openings")
    return tallies


def _tally(session: Session, client: Client, row: Row) -> Tally:
    table, column, one, many = row
    theirs = (
        table.user_id == client.user_id if table is SignInSession else table.client_id == client.id
    )
    count, last = session.execute(
        sa.select(sa.func.count(table.id), sa.func.max(column)).where(theirs)
    ).one()
    return Tally(count, last, one, many)


OWN_ACTS = {
    "account.opened": "Opened the account",
    "account.confirmed": "Confirmed the address",
    "account.details_changed": "Changed the name or the telephone number",
    "session.begun": "Signed in",
    "session.ended": "Signed out",
    "session.all_ended": "Signed out everywhere",
    "consent.signed": "Agreed to a text",
    "consent.revoked": "Took an agreement back",
    "intake.submitted": "Sent the answers in",
    "intake.amended": "Changed wishes in the answers",
    "request.sent": "Asked a therapist",
    "request.withdrawn": "Withdrew a request",
    "waiting.joined": "Joined the waiting list",
    "waiting.left": "Left the waiting list",
    "waiting.agreed": "Said yes to a place that was found",
    "waiting.declined": "Said no to a place that was found",
    "review.asked": "Asked a person to look at the matches",
    "review.withdrawn": "Took back asking a person to look",
    "appointment.held": "Chose a time",
    "appointment.booked": "Booked a meeting",
    "appointment.cancelled": "Cancelled a meeting",
    "episode.opened": "Began care",
    "episode.ended": "Ended care",
    "group.asked": "Asked to join a group",
    "group.seat_held": "Chose a seat in a group",
    "group.seat_taken": "Took a seat in a group",
    "group.left": "Left a group",
    "place.set": "Said where they are",
    "export.made": "Took a copy of everything",
    "erasure.asked": "Asked to be forgotten",
    "erasure.called_off": "Called the erasure off",
}
MOST_OWN_ACTS = 50


@dataclass(frozen=True)
class OwnAct:
    at: datetime
    what: str


def own_acts(session: Session, client: Client, most: int | None = MOST_OWN_ACTS) -> list[OwnAct]:
    """What the client did themselves, the newest first."""
    mine = (
        sa.select(AuditEntry.at, AuditEntry.action)
        .where(AuditEntry.actor_id == client.user.public_id)
        .order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
        .limit(most)
    )
    return [OwnAct(at, _act_words(action)) for at, action in session.execute(mine)]


def _act_words(action: str) -> str:
    return OWN_ACTS.get(action) or action.replace(".", ": ").replace("_", " ").capitalize()


@dataclass(frozen=True)
class StayLine:
    """Something that stays after being forgotten; `until` is None while an event is waited for."""

    heading: str
    count: int
    because: str
    until: datetime | None


@dataclass(frozen=True)
class Plan:
    """What being forgotten now would do, worked out from this client's own rows.

    `ends` are the sentences about what goes on and would end; `refund` is minor units.
    """

    going: list[MapLine]
    staying: list[StayLine]
    ends: list[str]
    refund: int
    last_day: datetime | None
    on_hold: bool
    has_open_flag: bool


def plan_of(session: Session, client: Client, at: datetime) -> Plan:
    stays = stays_of(session, client, at)
    on_hold = any(stay.because is Because.legal_hold for _, stay in stays.all())
    days = [day for day in latest_days(stays).values() if day is not None]
    refund = queries.refund_of_leaving(session, client, at)
    return Plan(
        going=[] if on_hold else _going(session, client, stays),
        staying=_staying(stays),
        ends=list(_what_ends(session, client, at, refund)),
        refund=refund,
        last_day=max(days, default=None),
        on_hold=on_hold,
        has_open_flag=stays.has_open_flag,
    )


@dataclass(frozen=True)
class StayGroup:
    """Everything that stays for one reason until one day."""

    because: str
    until: datetime | None
    lines: list[StayLine]


def grouped(lines: Iterable[StayLine]) -> list[StayGroup]:
    """By reason and day; what waits for an event first, then the last to go."""
    groups: dict[tuple[str, datetime | None], list[StayLine]] = {}
    for line in lines:
        groups.setdefault((line.because, line.until), []).append(line)
    found = [StayGroup(because, until, of) for (because, until), of in groups.items()]
    dated = [one for one in found if one.until is not None]
    waiting = [one for one in found if one.until is None]
    return waiting + sorted(dated, key=lambda one: one.until or NEVER, reverse=True)


def stay_lines(restrictions: Iterable[Restriction]) -> list[StayLine]:
    """What the register of what stays says, in words."""
    return [
        StayLine(_stay_heading(one.holding, one.because), 1, STAYS_BECAUSE[one.because], one.until)
        for one in restrictions
    ]


def _stay_heading(holding: str, because: Because) -> str:
    return OF_WHICH.get((holding, because)) or BY_KEY[holding].heading


def _going(session: Session, client: Client, stays: Stays) -> list[MapLine]:
    """Kinds of which something goes at once, with how many of them."""
    lines = []
    for line in map_of(session, client):
        key, kept = line.holding.key, len(stays.keys(line.holding.key))
        if key in ALWAYS_GOES or (key == "person" and not kept):
            lines.append(MapLine(line.holding, None))
        elif line.tally is not None and key not in STAYS_NAMELESS and line.tally.count > kept:
            left = Tally(line.tally.count - kept, None, line.tally.one, line.tally.many)
            lines.append(MapLine(line.holding, left))
    return lines


def _staying(stays: Stays) -> list[StayLine]:
    days = latest_days(stays)
    counts = Counter((holding, stay.because) for holding, stay in stays.all())
    order = list(BY_KEY)
    return [
        StayLine(
            _stay_heading(holding, because),
            counts[holding, because],
            STAYS_BECAUSE[because],
            until,
        )
        for (holding, because), until in sorted(
            days.items(), key=lambda one: order.index(one[0][0])
        )
    ]


def _what_ends(session: Session, client: Client, at: datetime, refund: int) -> Iterator[str]:
    for request in queries.waiting_requests(session, client):
        yield f"Your request to {request.therapist.name} is withdrawn."
    for episode in queries.open_episodes(session, client):
        yield (
            f"Your care with {episode.therapist.name} ends, and they are told. They can write "
            "last notes for 30 days; then only the records custodian can open the record."
        )
    for meeting in queries.meetings_ahead(session, client, at):
        day = date_words(meeting.starts_at, client.zone)
        yield f"Your meeting with {meeting.therapist.name} on {day} is cancelled."
    for enrolment in queries.live_enrolments(session, client):
        yield f"Your place in “{enrolment.group.title}” is given up."
    if refund:
        amount = format_money(refund, current_settings().currency)
        yield f"{amount} goes back to the card you paid with, by the groups’ rules."
