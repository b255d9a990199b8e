"""Invented clients at every stage, from signed up to well into care."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import Enum, auto
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from practice.accounts.models import Client, User
from practice.appointments.models import Appointment, AppointmentState
from practice.care.models import Episode
from practice.consent.models import ConsentDocument, Purpose, Signature
from practice.intake import answers as reading
from practice.intake.duty import promise
from practice.intake.instruments import INSTRUMENTS, instrument
from practice.intake.models import (
    Assessment,
    ContactManner,
    FlagContact,
    FlagOutcome,
    FlagReading,
    FlagResult,
    Intake,
    IntakeAnswer,
    RiskFlag,
)
from practice.intake.pages import KEYS
from practice.intake.scoring import score
from practice.local_time import instant_at
from practice.matches.models import MatchRequest, RequestState
from practice.places import place
from practice.seed.people import Names, Passwords, add_client
from practice.seed.therapists import COMMON_APPROACHES, COMMON_CONCERNS, SMALL_WORLD
from practice.seed.words import STORIES
from practice.therapists.models import Therapist
from practice.waiting.models import WaitingEntry
from practice.working_days import after_working_days

RISK_PAGE = "phq-9-9"
DAYS_LOOKED_AT = 60
# One therapist of each place has most to do, so that there is a full day to look at.
BUSIEST, SHARE_OF_BUSIEST = 3, 0.6
# What those who wait for a place can pay, in minor units.
SMALL_BUDGETS = (8000, 12000, 16000)
# Those who looked are alike in a few things, so that there are groups large enough to be shown.
YOUNGEST_WHO_LOOKED, OLDEST_WHO_LOOKED, SPEAK_SPANISH = 25, 44, 0.5


class Stage(Enum):
    """How far an invented client has come."""

    signed_up = auto()
    agreed = auto()
    answering = auto()
    looking = auto()
    asked = auto()
    asked_long_ago = auto()
    accepted = auto()
    booked = auto()
    in_care = auto()
    in_danger = auto()
    waiting = auto()
    looked = auto()


# One round of forty; those who wait for a place, or looked long ago, are made apart.
STAGES = (
    *(Stage.signed_up,) * 3,
    *(Stage.agreed,) * 2,
    *(Stage.answering,) * 5,
    *(Stage.looking,) * 7,
    *(Stage.asked,) * 4,
    *(Stage.asked_long_ago,) * 2,
    *(Stage.accepted,) * 2,
    *(Stage.booked,) * 4,
    *(Stage.in_care,) * 9,
    *(Stage.in_danger,) * 2,
)
# How long ago somebody at a stage began at the latest.
DAYS_SINCE = {
    Stage.asked: 3,
    Stage.asked_long_ago: 11,
    Stage.accepted: 5,
    Stage.booked: 6,
    Stage.in_care: 49,
}
HEAVIER = (0.6, 1.2, 1.9, 2.5)
LONGEST_WAIT = timedelta(days=70)
LOOKED_DAYS_AGO = 30, 170
PLACES_OF = {
    Stage.waiting: ("US-OR", "US-OR", "US-NY"),
    Stage.looked: ("US-WA", "US-WA", "US-CA", "US-CA", "US-OR"),
}
FIRST_OF_STAGE = {stage: STAGES.index(stage) for stage in STAGES}


@dataclass
class ClientMaker:
    """What making clients needs. `documents` are the published consents by purpose."""

    session: Session
    chance: Random
    at: datetime
    passwords: Passwords
    documents: dict[Purpose, ConsentDocument]
    duty: User
    therapists: list[Therapist]

    def __post_init__(self) -> None:
        self.names = Names(Random(self.chance.random()))
        self._taken: set[tuple[int, datetime]] = set()

    def make(self, count: int) -> list[Client]:
        clients = []
        for number in range(count):
            clients.append(self._one(number, STAGES[number % len(STAGES)]))
            if number % 500 == 499:
                self.session.flush()
        self.session.flush()
        return clients

    def make_waiting(self, before: int, count: int) -> list[Client]:
        """More clients, after `before` others, who all want what few therapists can give."""
        waiting = [self._one(before + number, Stage.waiting) for number in range(count)]
        self.session.flush()
        return waiting

    def make_past(self, before: int, count: int) -> list[Client]:
        """More clients, after `before` others, who looked at their matches some months ago."""
        past = [self._one(before + number, Stage.looked) for number in range(count)]
        self.session.flush()
        return past

    def _one(self, number: int, stage: Stage) -> Client:
        places = PLACES_OF.get(stage, SMALL_WORLD)
        where = places[number % len(places)]
        name, _gender = self.names.next()
        email = f"client{number + 1}@attune.example"
        zone = place(where).zone
        client = add_client(self.session, self.passwords, email, name, where, zone, self.at)
        client.phone = f"206 555 01{number % 100:02d}"
        self.session.flush()
        self._bring_to(client, stage)
        return client

    def _bring_to(self, client: Client, stage: Stage) -> None:
        if stage is Stage.signed_up:
            return
        joined = self._joined(stage)
        self._sign(client, Purpose.privacy_notice, joined)
        self._sign(client, Purpose.assessment, joined)
        if stage is Stage.agreed:
            return
        intake = self._intake(client, stage, joined)
        if stage is Stage.in_danger:
            self._flag(client, intake, handled=False)
        elif self._is_risky(intake):
            self._flag(client, intake, handled=True)
        if stage is Stage.waiting:
            self.session.add(WaitingEntry(client_id=client.id, joined_at=intake.submitted_at))
        if stage in {Stage.asked, Stage.asked_long_ago, Stage.accepted}:
            self._request(client, intake, stage)
        if stage in {Stage.booked, Stage.in_care}:
            self._care(client, intake, stage)

    def _joined(self, stage: Stage) -> datetime:
        """When somebody began, so that there was time for what followed."""
        if stage is Stage.in_danger:
            return self.at - timedelta(hours=self.chance.randint(1, 9))
        if stage is Stage.waiting:
            return self.at - self.chance.random() * LONGEST_WAIT - timedelta(hours=1)
        if stage is Stage.looked:
            return self.at - timedelta(days=self.chance.randint(*LOOKED_DAYS_AGO))
        least = DAYS_SINCE.get(stage, 2)
        return self.at - timedelta(days=self.chance.randint(least, max(30, least + 5)))

    def _sign(self, client: Client, purpose: Purpose, at: datetime, **scope: str) -> None:
        self.session.add(
            Signature(
                document_id=self.documents[purpose].id,
                purpose=purpose,
                client_id=client.id,
                signer_id=client.user_id,
                signed_at=at,
                place=client.place,
                evidence={"typed_name": client.preferred_name, "ticked": True},
                **scope,
            )
        )

    def _intake(self, client: Client, stage: Stage, at: datetime) -> Intake:
        answers = self._answers(client, stage)
        if stage is Stage.answering:
            reached = self.chance.randint(2, len(KEYS) - 4)
            answers = {key: answers[key] for key in KEYS[:reached] if key in answers}
        submitted = None if stage is Stage.answering else at + timedelta(minutes=11)
        intake = Intake(client_id=client.id, started_at=at, submitted_at=submitted)
        intake.answers = [
            IntakeAnswer(page=key, value=value, answered_at=at + timedelta(seconds=20 * order))
            for order, (key, value) in enumerate(answers.items())
        ]
        self.session.add(intake)
        self.session.flush()
        if submitted:
            self._assess(client, answers, submitted, intake)
        return intake

    def _answers(self, client: Client, stage: Stage) -> dict[str, Any]:
        chance = self.chance
        chosen = chance.sample(COMMON_CONCERNS[:14], chance.randint(2, 4))
        answers: dict[str, Any] = {
            "story": chance.choice(STORIES),
            "concerns": chosen,
            "concern-weights": {code: chance.randint(1, 3) for code in chosen},
        }
        answers |= self._sheets(stage)
        answers |= {
            "place": client.place,
            "birth-year": self.at.year - chance.randint(19, 72),
            "languages": ["en"] if chance.random() < 0.8 else ["en", "es"],
            "service": "individual",
            "format": ["online"] if chance.random() < 0.7 else ["online", "in-person"],
            "payment": {
                "kind": "self-pay",
                "insurer": None,
                "budget": chance.choice((6000, 10000, 12000, 16000)),
                "currency": "USD",
            },
            "hours": {"zone": client.zone, "windows": self._windows()},
            "wishes": self._wishes(),
            "style": {"directive": chance.choice((-2, 1, 2)), "warm": chance.choice((1, 2))},
        }
        if stage is Stage.waiting:
            answers |= self._scarce()
        if stage is Stage.looked:
            answers |= self._looked_for()
        return {key: answers[key] for key in KEYS if key in answers}

    def _scarce(self) -> dict[str, Any]:
        """A small budget and an approach that they must have: few therapists fit."""
        chance = self.chance
        budget = chance.choice(SMALL_BUDGETS)
        wanted = chance.sample(COMMON_APPROACHES[:2], 1)
        return {
            "languages": ["en"],
            "format": ["online", "in-person"],
            "payment": {
                "kind": "sliding",
                "insurer": None,
                "budget": budget,
                "currency": "USD",
            },
            "wishes": {"approach": {"want": wanted, "strength": "must_have"}},
        }

    def _looked_for(self) -> dict[str, Any]:
        chance = self.chance
        age = chance.randint(YOUNGEST_WHO_LOOKED, OLDEST_WHO_LOOKED)
        return {
            "birth-year": self.at.year - age,
            "languages": ["en", "es"] if chance.random() < SPEAK_SPANISH else ["en"],
            "payment": {
                "kind": "self-pay",
                "insurer": None,
                "budget": chance.choice((12000, 16000, 20000, 26000)),
                "currency": "USD",
            },
        }

    def _sheets(self, stage: Stage) -> dict[str, int | None]:
        usual = HEAVIER if stage is Stage.waiting else (0.4, 0.8, 1.2, 1.8)
        heaviness = self.chance.choice(usual)
        sheets: dict[str, int | None] = {}
        for tool in INSTRUMENTS.values():
            for item in tool.items:
                value = min(3, max(0, round(self.chance.gauss(heaviness, 0.8))))
                risky = item.number == tool.risk_item
                sheets[f"{tool.code}-{item.number}"] = 0 if risky else value
        if stage is Stage.in_danger:
            sheets[RISK_PAGE] = self.chance.choice((1, 2))
            sheets["phq-9-4"] = None
        elif self.chance.random() < 0.08:
            sheets[RISK_PAGE] = 1
        return sheets

    def _windows(self) -> list[str]:
        windows = [
            f"{day} {part}"
            for day in ("mon", "tue", "wed", "thu", "fri")
            for part in ("08:00-12:00", "12:00-17:00", "17:00-21:00")
        ]
        return self.chance.sample(windows, self.chance.randint(4, 9))

    def _wishes(self) -> dict[str, Any]:
        wishes: dict[str, Any] = {}
        if self.chance.random() < 0.4:
            wishes["gender"] = {"want": ["woman"], "strength": "would_like"}
        if self.chance.random() < 0.4:
            wanted = self.chance.sample(COMMON_APPROACHES[:6], 1)
            wishes["approach"] = {"want": wanted, "strength": "would_like"}
        return wishes

    def _assess(
        self, client: Client, answers: dict[str, Any], at: datetime, intake: Intake | None
    ) -> None:
        for code in INSTRUMENTS:
            tool = instrument(code)
            sheet = reading.responses(answers, tool)
            found = score(tool, sheet)
            self.session.add(
                Assessment(
                    client_id=client.id,
                    intake_id=intake.id if intake else None,
                    instrument=code,
                    instrument_version=tool.version,
                    taken_at=at,
                    responses=sheet,
                    result={
                        "total": found.total,
                        "band": found.band,
                        "status": found.status,
                        "risk": found.risk,
                    },
                )
            )

    def _is_risky(self, intake: Intake) -> bool:
        return any(reading.is_risky(answer.page, answer.value) for answer in intake.answers)

    def _risk_answer(self, intake: Intake) -> int:
        return next(answer.value for answer in intake.answers if answer.page == RISK_PAGE)

    def _flag(self, client: Client, intake: Intake, *, handled: bool) -> None:
        raised = intake.started_at + timedelta(minutes=5)
        flag = RiskFlag(
            client_id=client.id,
            intake_id=intake.id,
            source=RISK_PAGE,
            raised_by={"instrument": "phq-9", "item": 9, "answer": self._risk_answer(intake)},
            raised_at=raised,
            promised=promise(raised, client.zone),
        )
        if handled:
            later = raised + timedelta(hours=2)
            flag.readings = [FlagReading(user=self.duty, read_at=later)]
            flag.contacts = [
                FlagContact(
                    user=self.duty,
                    at=later,
                    manner=ContactManner.telephone,
                    reached=True,
                    words="Talked for twenty minutes. Not alone, no plan, knows whom to call.",
                )
            ]
            flag.outcome = FlagOutcome(
                user=self.duty,
                at=later + timedelta(minutes=30),
                result=FlagResult.safe_plan_made,
                reason="A plan for bad evenings is made; first meeting within the week.",
            )
        self.session.add(flag)

    def _request(self, client: Client, intake: Intake, stage: Stage) -> None:
        therapist = self._therapist_for(client)
        if therapist is None:
            return
        days = {Stage.asked: 1, Stage.asked_long_ago: 9, Stage.accepted: 3}[stage]
        sent = self.at - timedelta(days=days, hours=self.chance.randint(1, 9))
        request = self._new_request(client, therapist, intake, sent)
        if stage is Stage.accepted:
            request.state = RequestState.accepted
            request.answered_at = sent + timedelta(days=1)

    def _new_request(
        self, client: Client, therapist: Therapist, intake: Intake, sent: datetime
    ) -> MatchRequest:
        answers = {answer.page: answer.value for answer in intake.answers}
        request = MatchRequest(
            client_id=client.id,
            therapist_id=therapist.id,
            place=client.place,
            service="individual",
            state=RequestState.sent,
            shared={"name": client.preferred_name, "concerns": answers["concerns"]},
            sent_at=sent,
            answer_due_at=after_working_days(sent, 2, therapist.zone),
        )
        self.session.add(request)
        return request

    def _care(self, client: Client, intake: Intake, stage: Stage) -> None:
        therapist = self._therapist_for(client)
        if therapist is None:
            return
        opened = self.at - timedelta(days=2 if stage is Stage.booked else 45)
        self._sign(
            client,
            Purpose.treatment,
            opened,
            scope=f"therapist:{therapist.public_id}",
            scope_label=therapist.name,
        )
        request = self._new_request(client, therapist, intake, opened - timedelta(days=2))
        request.state = RequestState.met
        request.answered_at = opened - timedelta(days=1)
        self.session.flush()
        episode = Episode(
            client_id=client.id,
            therapist_id=therapist.id,
            request_id=request.id,
            service="individual",
            place=client.place,
            opened_at=opened,
        )
        self.session.add(episode)
        self.session.flush()
        if stage is Stage.in_care:
            self._sign(client, Purpose.learning, opened)
            self._past(client, therapist, episode, request)
        self._meeting(client, therapist, episode, request, weeks=0 if stage is Stage.booked else 1)

    def _past(
        self, client: Client, therapist: Therapist, episode: Episode, request: MatchRequest
    ) -> None:
        for weeks in (-5, -3, -1):
            self._meeting(client, therapist, episode, request, weeks=weeks)
        for step, days in enumerate((30, 16, 3), 1):
            sheets = {key: self.chance.choice((0, 0, 1, 2)) for key in self._sheets(Stage.looking)}
            easier = {key: max(0, value - step + 1) for key, value in sheets.items()}
            easier[RISK_PAGE] = 0
            self._assess(client, easier, self.at - timedelta(days=days), None)

    def _meeting(
        self,
        client: Client,
        therapist: Therapist,
        episode: Episode,
        request: MatchRequest,
        *,
        weeks: int,
    ) -> None:
        starts = self._free_hour(therapist, weeks)
        if starts is None:
            return
        self.session.add(
            Appointment(
                client_id=client.id,
                therapist_id=therapist.id,
                request_id=request.id if weeks in {0, -5} else None,
                episode_id=episode.id,
                starts_at=starts,
                ends_at=starts + timedelta(minutes=50),
                zone=therapist.zone,
                format="online",
                where=therapist.meeting_link,
                state=AppointmentState.booked,
                booked_at=episode.opened_at,
            )
        )

    def _free_hour(self, therapist: Therapist, weeks: int) -> datetime | None:
        """An hour of the therapist's that nobody of this world has yet; None in a full world."""
        today = self.at.astimezone(ZoneInfo(therapist.zone)).date()
        for days in range(2, DAYS_LOOKED_AT):
            day = today + timedelta(days=days + 7 * weeks)
            for window in therapist.hours:
                if window.weekday != day.weekday():
                    continue
                for hour in range(window.starts.hour, window.ends.hour):
                    starts = instant_at(day, time(hour), therapist.zone)
                    if (therapist.id, starts) not in self._taken:
                        self._taken.add((therapist.id, starts))
                        return starts
        return None

    def _therapist_for(self, client: Client) -> Therapist | None:
        here = [
            therapist
            for therapist in self.therapists
            if any(licence.place == client.place for licence in therapist.licences)
        ]
        if not here:
            return None
        busiest = here[min(BUSIEST, len(here) - 1)]
        return busiest if self.chance.random() < SHARE_OF_BUSIEST else self.chance.choice(here)


def published_documents(session: Session) -> dict[Purpose, ConsentDocument]:
    """The newest version of each consent."""
    documents = session.scalars(sa.select(ConsentDocument).order_by(ConsentDocument.version))
    return {document.purpose: document for document in documents}
