"""Invented therapists: their profiles, licences with the checks behind them, and hours."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from sqlalchemy.orm import Session

from practice.accounts.models import Role, User, UserRole
from practice.credentials.models import Decision, LicenceCheck, NpiCheck
from practice.npi import check_digit
from practice.places import PLACES, in_force_until, place
from practice.seed.people import Names, Passwords, add_user
from practice.seed.words import ABOUT, BOARDS, VOICES
from practice.therapists.models import (
    Application,
    ApplicationState,
    Level,
    Licence,
    LicenceState,
    Therapist,
    WeeklyHours,
)
from practice.vocabularies import vocabulary

# Few places, so that a small world has several therapists in each of them.
SMALL_WORLD = ("US-WA", "US-WA", "US-WA", "US-OR", "US-OR", "US-CA", "US-CA", "US-NY", "US-NY")
PROFESSIONS = (
    "psychologist",
    "counsellor",
    "clinical-social-worker",
    "marriage-family-therapist",
    "psychiatrist",
)
COMMON_CONCERNS = (
    "anxiety worry panic depression grief trauma relationship stress burnout sleep self-esteem "
    "life-change family parenting work loneliness anger adhd alcohol perinatal social-anxiety "
    "obsessions eating chronic-illness discrimination culture sexuality gender-identity"
).split()
COMMON_APPROACHES = (
    "cbt act mindfulness psychodynamic emdr ipt person-centred solution-focused dbt cft "
    "behavioural-activation narrative family-systems eft prolonged-exposure cbt-i"
).split()
FURTHER_LANGUAGES = ("es", "es", "es", "fr", "vi", "ko", "ar", "tl", "ru", "cmn", "hi", "so", "ase")


@dataclass(frozen=True)
class Fate:
    """Where an invented therapist stands with the clinic."""

    application: ApplicationState = ApplicationState.verified
    licence: LicenceState = LicenceState.verified
    expires_in_days: int = 400
    confirmed_days_ago: int = 3


LIVE = Fate()
# One round of sixty: most are live, the others show what an administrator meets.
FATES = {
    7: Fate(expires_in_days=-9),
    19: Fate(expires_in_days=-40),
    31: Fate(expires_in_days=20),
    11: Fate(ApplicationState.submitted, LicenceState.submitted),
    23: Fate(ApplicationState.submitted, LicenceState.submitted),
    35: Fate(ApplicationState.in_review, LicenceState.in_review),
    47: Fate(ApplicationState.needs_info, LicenceState.needs_info),
    13: Fate(ApplicationState.rejected, LicenceState.rejected),
    37: Fate(ApplicationState.rejected, LicenceState.rejected),
    17: Fate(confirmed_days_ago=21),
    29: Fate(confirmed_days_ago=33),
    41: Fate(confirmed_days_ago=16),
    43: Fate(ApplicationState.draft, LicenceState.draft),
}
ROUND = 60
BATCH = 500
SUPERVISORS_OF_A_ROUND = 4
ASSOCIATES_OF_A_ROUND = 12


@dataclass
class Maker:
    """What making therapists needs: who decides, the chance, the instant."""

    session: Session
    chance: Random
    at: datetime
    passwords: Passwords
    decider: User

    def __post_init__(self) -> None:
        self.names = Names(self.chance)

    def make(self, count: int) -> list[Therapist]:
        """Add `count` therapists; in each sixty, twelve associates under four supervisors."""
        places = SMALL_WORLD if count <= 300 else tuple(PLACES)
        therapists: list[Therapist] = []
        made: list[tuple[Therapist, Fate]] = []
        supervisors: list[Therapist] = []
        for number in range(count):
            in_round = number % ROUND
            if in_round == 0:
                supervisors = []
            is_associate = in_round >= ROUND - ASSOCIATES_OF_A_ROUND and bool(supervisors)
            supervisor = supervisors[in_round % len(supervisors)] if is_associate else None
            fate = LIVE if is_associate else FATES.get(in_round, LIVE)
            where = supervisor.licences[0].place if supervisor else places[number % len(places)]
            therapist = self._one(number, where, fate, supervisor)
            if in_round < SUPERVISORS_OF_A_ROUND:
                supervisors.append(therapist)
                therapist.user.role_rows.append(UserRole(role=Role.supervisor, granted_at=self.at))
            therapists.append(therapist)
            made.append((therapist, fate))
            if len(made) == BATCH or number == count - 1:
                self._check(made)
                made = []
        return therapists

    def _one(self, number: int, where: str, fate: Fate, supervisor: Therapist | None) -> Therapist:
        name, gender = self.names.next()
        email = f"therapist{number + 1}@attune.example"
        user = add_user(self.session, self.passwords, email, name, (Role.therapist,), self.at)
        profession = self._profession(number % ROUND, supervisor)
        therapist = self._profile(user, name, gender, where, profession, supervisor)
        therapist.application = self._application(fate)
        therapist.licences = [self._licence(therapist, where, fate, number)]
        if number % 5 == 0 and fate is LIVE and supervisor is None:
            second = "US-OR" if where != "US-OR" else "US-WA"
            therapist.licences.append(self._licence(therapist, second, fate, number))
        therapist.hours = self._hours()
        therapist.hours_confirmed_at = self.at - timedelta(days=fate.confirmed_days_ago)
        self.session.add(therapist)
        return therapist

    def _profession(self, in_round: int, supervisor: Therapist | None) -> str:
        """Only some professions have associates, so only those give supervisors."""
        if supervisor:
            return supervisor.profession
        if in_round < SUPERVISORS_OF_A_ROUND:
            with_associates = vocabulary("professions").flagged("associate")
            return self.chance.choice([one for one in PROFESSIONS if one in with_associates])
        return self.chance.choice(PROFESSIONS)

    def _profile(
        self,
        user: User,
        name: str,
        gender: str,
        where: str,
        profession: str,
        supervisor: Therapist | None,
    ) -> Therapist:
        terms = self._terms(supervised=supervisor is not None)
        presence = self._presence(where, in_person="in-person" in terms["formats"])
        craft = self._craft(gender)
        return Therapist(
            user=user,
            supervisor=supervisor,
            supervisor_confirmed_at=self.at - timedelta(days=30) if supervisor else None,
            name=name,
            profession=profession,
            level=Level.associate if supervisor else Level.licensed,
            **terms,
            **presence,
            **craft,
            most_acuity=1 if supervisor else self.chance.choice((2, 2, 3)),
            open_places=self.chance.choice((0, 1, 2, 2, 3, 3, 4)),
            created_at=self.at - timedelta(days=self.chance.randint(40, 700)),
        )

    def _terms(self, *, supervised: bool) -> dict[str, Any]:
        """What a session costs, how it can be paid, and how people meet."""
        chance = self.chance
        fee = chance.choice((0, 4000, 6000, 8000, 9000, 10000, 12000, 14000, 16000))
        if supervised:
            fee = min(fee, 6000)
        payments = ["self-pay"] if fee else ["free"]
        if chance.random() < 0.5:
            payments.append("insurance")
        slides = fee >= 8000 and chance.random() < 0.5
        formats = chance.choice((["online"], ["online", "in-person"], ["online", "telephone"]))
        return {
            "fee": fee,
            "sliding_from": fee // 2 if slides else None,
            "payments": payments + (["sliding"] if slides else []),
            "formats": formats,
        }

    def _presence(self, where: str, *, in_person: bool) -> dict[str, Any]:
        """Who they are and where they are found."""
        chance = self.chance
        return {
            "npi": _npi(chance),
            "voice": chance.choice(VOICES),
            "about": chance.choice(ABOUT),
            "practising_since": self.at.year - chance.randint(2, 25),
            "zone": place(where).zone,
            "office": _office(chance) if in_person else "",
            "meeting_link": f"https://meet.attune.example/{chance.getrandbits(48):012x}",
        }

    def _craft(self, gender: str) -> dict[str, Any]:
        """What they work with, and how."""
        chance = self.chance
        return {
            "services": ["individual", *(["couple"] if chance.random() < 0.3 else [])],
            "languages": ["en", *self._second_language()],
            "skills": {
                concern: chance.choice((1, 2, 2, 3))
                for concern in chance.sample(COMMON_CONCERNS, chance.randint(6, 12))
            },
            "approaches": chance.sample(COMMON_APPROACHES, chance.randint(2, 4)),
            "identities": {"gender": [gender]} if chance.random() < 0.8 else {},
            "style": {
                axis: chance.randint(-3, 3)
                for axis in vocabulary("style").codes
                if chance.random() < 0.85
            },
        }

    def _second_language(self) -> list[str]:
        return [self.chance.choice(FURTHER_LANGUAGES)] if self.chance.random() < 0.5 else []

    def _application(self, fate: Fate) -> Application:
        submitted = fate.application is not ApplicationState.draft
        days_ago = self.chance.randint(1, 9)
        return Application(
            state=fate.application,
            submitted_at=self.at - timedelta(days=days_ago) if submitted else None,
            changed_at=self.at - timedelta(days=days_ago),
        )

    def _licence(self, therapist: Therapist, where: str, fate: Fate, number: int) -> Licence:
        expires_on = self._expiry(fate)
        verified = fate.licence is LicenceState.verified
        board = f"{place(where).name} {BOARDS[therapist.profession]}"
        return Licence(
            place=where,
            profession=therapist.profession,
            number=f"{therapist.profession[:2].upper()} {60000 + number * 7} {where[-2:]}",
            board=board,
            expires_on=expires_on,
            in_force_until=in_force_until(expires_on, where),
            state=fate.licence,
            declared_at=self.at - timedelta(days=30),
            found_source=board if verified else "",
            found_at=self.at - timedelta(days=self.chance.randint(3, 28)) if verified else None,
        )

    def _expiry(self, fate: Fate) -> date:
        spread = self.chance.randint(0, 300) if fate.expires_in_days == 400 else 0
        return (self.at + timedelta(days=fate.expires_in_days + spread)).date()

    def _hours(self) -> list[WeeklyHours]:
        chance = self.chance
        starts = chance.choice((8, 9, 9, 10, 12, 14))
        weekdays = sorted(chance.sample(range(5), chance.randint(3, 5)))
        hours = [
            WeeklyHours(weekday=day, starts=time(starts), ends=time(min(starts + 7, 21)))
            for day in weekdays
        ]
        if chance.random() < 0.3:
            hours.append(WeeklyHours(weekday=5, starts=time(9), ends=time(13)))
        return hours

    def _check(self, made: list[tuple[Therapist, Fate]]) -> None:
        """Add the look-ups and decisions behind what was verified; they need the rows' keys."""
        self.session.flush()
        for therapist, fate in made:
            if fate.licence is LicenceState.verified:
                self._check_one(therapist)
        self.session.flush()

    def _check_one(self, therapist: Therapist) -> None:
        for licence in therapist.licences:
            self.session.add(_check_of(licence, therapist, self.decider))
            self.session.add(_decision_on(licence, therapist, self.decider))
        self.session.add(_npi_check(therapist, self.decider, self.at))
        therapist.npi_checked_at = self.at - timedelta(days=20)


def _check_of(licence: Licence, therapist: Therapist, decider: User) -> LicenceCheck:
    words = f"Status: Active. Expires {licence.expires_on:%m/%d/%Y}. No disciplinary action."
    return LicenceCheck(
        licence_id=licence.id,
        source=licence.found_source,
        retrieved_at=licence.found_at,
        verbatim_status=words,
        found_name=therapist.name.upper(),
        found_number=licence.number,
        found_expires_on=licence.expires_on,
        evidence_hash=hashlib.sha256(words.encode()).hexdigest(),
        looked_by_id=decider.id,
        recorded_at=licence.found_at,
    )


def _decision_on(licence: Licence, therapist: Therapist, decider: User) -> Decision:
    return Decision(
        subject_kind="licence",
        subject_id=licence.public_id,
        therapist_id=therapist.id,
        from_state=LicenceState.in_review.value,
        to_state=LicenceState.verified.value,
        reason="Name, number and date agree with the board's register.",
        decided_by_id=decider.id,
        decided_at=licence.found_at,
    )


def _npi_check(therapist: Therapist, decider: User, at: datetime) -> NpiCheck:
    return NpiCheck(
        therapist_id=therapist.id,
        npi=therapist.npi,
        check_digit_valid=True,
        found_name=therapist.name.upper(),
        found_taxonomy=vocabulary("professions").label(therapist.profession, "en"),
        source="NPPES NPI registry",
        retrieved_at=at - timedelta(days=20),
        looked_by_id=decider.id,
    )


def _office(chance: Random) -> str:
    return f"{chance.randint(10, 990)} Alder Street, room {chance.randint(1, 9)}"


def _npi(chance: Random) -> str:
    nine = "1" + "".join(str(chance.randint(0, 9)) for _ in range(8))
    return nine + str(check_digit(nine))
