"""People with secrets: a small world in which each secret is a text that is found nowhere else."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from matching import DEFAULT_WEIGHTS, ENGINE_VERSION
from practice.accounts.models import Client, Role, User
from practice.appointments.models import Appointment
from practice.care.closing import write_note
from practice.care.custody import look_up
from practice.care.emergency import operations as emergencies
from practice.care.emergency.models import OpeningReason
from practice.care.models import Episode, LookupReason
from practice.consent.models import ConsentDocument, Purpose, Signature
from practice.consent.operations import ensure_documents
from practice.credentials import operations as credentials
from practice.groups import leading
from practice.groups.models import Enrolment, EnrolmentState, Group, GroupKind
from practice.groups.operations import Joining, ask_to_join, take_seat
from practice.intake.flags import operations as flag_operations
from practice.intake.models import ContactManner, DutyShift, FlagResult, RiskFlag
from practice.matches import operations as matches
from practice.matches.models import MatchRequest
from practice.matches.reviews import operations as reviews
from practice.oversight.weights import preview as weights_preview
from practice.oversight.weights.figures import figures_of
from practice.therapists.models import ApplicationState, Therapist
from practice.waiting import operations as waiting
from practice.waiting.models import Placement, PlacementState, WaitingRun
from tests.builders.accounts import make_client, make_user
from tests.builders.appointments import make_booked
from tests.builders.credentials import check_licence, make_applicant
from tests.builders.groups import make_group
from tests.builders.intake import make_intake, make_shift
from tests.builders.matches import make_request
from tests.builders.therapists import make_therapist
from tests.conftest import NOW

VISITOR = "a visitor"
EVERYBODY = "ann ben lena rosa sven noor clara idris ines".split()
# Who may read each secret; for anybody else it must not be on any page.
READERS = {
    # Noor has opened Ann's record because of a danger, and Clara has allowed Lena to open Ben's.
    "ann's story, shared with rosa": {"ann", "rosa", "sven", "noor"},
    "ben's story, shared with nobody": {"ben"},
    "what was said on the telephone": {"noor", "clara", "lena"},
    "why the flag was closed": {"noor", "clara", "lena"},
    "why ann asks to join the group": {"ann", "rosa"},
    "why rosa invites her": {"rosa"},
    "what lena answered": {"ben"},
    "what ben asks a person to look at": {"ben", "clara"},
    "why clara does not propose lena to ann": {"clara"},
    "why the board's page is not enough": {"ines"},
    "what the board's page said": {"ines"},
    "rosa's note about ben, closed": {"idris", "lena"},
    "sven's note about ben, to be closed": {"sven", "lena"},
    "why noor asks to open ben's record": {"noor", "clara", "ines"},
    "why noor opened ann's record": {"noor", "clara"},
    "why lena asks to open ben's record": {"lena", "clara"},
    "why idris looked ben up": set(),
}
OUTCOME = {"placed": 2, "severe_placed": 2, "worst": 700000, "longest": None}
FIGURES = {
    "waiting": 2,
    "severe": 2,
    "without_anybody": 0,
    "proposal": OUTCOME,
    "arrival": OUTCOME,
}
TITLE = "Evenings-2f6e for people who drink"


def canary(secret: str) -> str:
    """The text of a secret: words that stand nowhere in the product."""
    return f"canary-{list(READERS).index(secret)}-{uuid.uuid5(uuid.NAMESPACE_URL, secret).hex[:8]}"


@dataclass
class Street:
    """The people by name, and the public ids of what is theirs, by kind of URL parameter."""

    people: dict[str, User] = field(default_factory=dict)
    things: dict[str, dict[str, uuid.UUID]] = field(default_factory=dict)
    order_seat: uuid.UUID | None = None

    def add(self, kind: str, name: str, public_id: uuid.UUID) -> None:
        self.things.setdefault(kind, {})[name] = public_id


def build(session: Session, at: datetime = NOW) -> Street:
    """Ann is in Rosa's care, Ben has asked Rosa; Sven supervises Rosa; Lena knows neither well."""
    ensure_documents(session, at)
    matches.ensure_weights(session, at)
    street = Street()
    _add_staff(session, street, at)
    sven, rosa, lena = _add_therapists(session, street, at)
    ann = _add_client(session, street, "ann", "ann's story, shared with rosa", at)
    ben = _add_client(session, street, "ben", "ben's story, shared with nobody", at)
    _raise_and_close_flags(session, street, ann, ben, at)
    _bring_into_care(session, street, ann, rosa, at)
    _let_ask_around(session, street, ben, lena, rosa, at)
    _let_wait(session, street, ann, ben, lena, at)
    _let_join_groups(session, street, ann, rosa, at)
    _end_care(session, street, ben, rosa, sven, at)
    _open_in_emergencies(session, street, ann, ben, at)
    _check_an_applicant(session, street, at)
    _try_weights(session, street, at)
    _name_what_is_left(session, street, sven, rosa)
    session.flush()
    return street


def _add_staff(session: Session, street: Street, at: datetime) -> None:
    for name, role in (
        ("noor", Role.duty_clinician),
        ("clara", Role.clinical_lead),
        ("idris", Role.records_custodian),
        ("ines", Role.administrator),
    ):
        street.people[name] = make_user(session, name=name.capitalize(), roles=(role,), at=at)
    shift = make_shift(session, street.people["noor"], at=at)
    assert isinstance(shift, DutyShift)
    street.add("shift", "noor's", shift.public_id)
    street.add("person", "noor", street.people["noor"].public_id)


def _add_therapists(
    session: Session, street: Street, at: datetime
) -> tuple[Therapist, Therapist, Therapist]:
    sven = make_therapist(session, "Sven Lindqvist", at=at)
    rosa = make_therapist(session, "Rosa Almeida", supervisor=sven, most_acuity=3, at=at)
    lena = make_therapist(session, "Lena Brandt", most_acuity=3, at=at)
    for name, therapist in (("sven", sven), ("rosa", rosa), ("lena", lena)):
        street.people[name] = therapist.user
    return sven, rosa, lena


def _add_client(session: Session, street: Street, name: str, story: str, at: datetime) -> Client:
    client = make_client(session, preferred_name=name.capitalize(), at=at)
    make_intake(session, client, story=canary(story), phq_9_9=1, at=at)
    street.people[name] = client.user
    street.add("person", name, client.user.public_id)
    return client


def _raise_and_close_flags(
    session: Session, street: Street, ann: Client, ben: Client, at: datetime
) -> None:
    """Ann's flag is open, Ben's is closed with a reason."""
    flags = {flag.client_id: flag for flag in session.scalars(sa.select(RiskFlag))}
    street.add("flag", "ann's", flags[ann.id].public_id)
    street.add("flag", "ben's", flags[ben.id].public_id)
    noor = street.people["noor"]
    flag_operations.read_flag(session, flags[ben.id], noor, at)
    flag_operations.log_contact(
        session, flags[ben.id], noor, manner=ContactManner.telephone, reached=True,
        words=canary("what was said on the telephone"), at=at,
    )  # fmt: skip
    flag_operations.close_flag(
        session, flags[ben.id], noor, result=FlagResult.safe_plan_made,
        reason=canary("why the flag was closed"), at=at,
    )  # fmt: skip


def _bring_into_care(
    session: Session, street: Street, ann: Client, rosa: Therapist, at: datetime
) -> None:
    request = make_request(session, ann, rosa, accepted=True, at=at)
    booked = make_booked(session, request, at=at)
    assert isinstance(booked, Appointment)
    assert booked.episode is not None
    street.add("match_request", "ann's to rosa", request.public_id)
    street.add("appointment", "ann's with rosa", booked.public_id)
    street.add("episode", "ann's with rosa", booked.episode.public_id)


def _let_ask_around(
    session: Session, street: Street, ben: Client, lena: Therapist, rosa: Therapist, at: datetime
) -> None:
    """Lena said no with a few words; now Rosa is asked, and Ben's own words are not shared."""
    first = make_request(session, ben, lena, share=("concerns",), at=at)
    matches.decline(session, first, lena.user, at, canary("what lena answered"))
    second = make_request(session, ben, rosa, share=("concerns", "hours"), at=at)
    assert isinstance(second, MatchRequest)
    looked_at = reviews.ask(session, ben, canary("what ben asks a person to look at"), at)
    street.add("match_review", "ben's", looked_at.public_id)
    street.add("match_request", "ben's to lena", first.public_id)
    street.add("match_request", "ben's to rosa", second.public_id)


def _let_wait(
    session: Session, street: Street, ann: Client, ben: Client, lena: Therapist, at: datetime
) -> None:
    """Ann is proposed to Lena, who was not wanted for her before; Ben is offered her place."""
    clara = street.people["clara"]
    runs = [
        WaitingRun(asked_at=at, asked_by_id=clara.id, made_at=at, figures=figures)
        for figures in (FIGURES, FIGURES)
    ]
    session.add_all(runs)
    entries = {client: waiting.join(session, client, at) for client in (ann, ben)}
    found = {
        "candidates": [[str(lena.public_id), 700000]],
        "therapist": str(lena.public_id),
        "arrival": None,
        "severity": 2,
        "days": 9,
    }

    def place(run: WaitingRun, client: Client, state: PlacementState, **columns: Any) -> Placement:
        return Placement(
            run=run, entry=entries[client], client=client, state=state, found=found, **columns
        )

    why = canary("why clara does not propose lena to ann")
    proposed = place(runs[1], ann, PlacementState.proposed)
    due = at + timedelta(days=3)
    offered = place(runs[1], ben, PlacementState.offered, therapist=lena, due_at=due, decided_at=at)
    rejected = place(runs[0], ann, PlacementState.rejected, reason=why, decided_at=at)
    session.add_all([rejected, proposed, offered])
    session.flush()
    street.add("waiting_placement", "ann's", proposed.public_id)
    street.add("waiting_placement", "ben's, offered", offered.public_id)
    street.add("waiting_offer", "ann's, only proposed", proposed.public_id)
    street.add("waiting_offer", "ben's", offered.public_id)
    street.add("waiting_run", "the newest", runs[1].public_id)


def _end_care(
    session: Session, street: Street, ben: Client, rosa: Therapist, sven: Therapist, at: datetime
) -> None:
    """Ben was in care twice: with Rosa, long closed, and with Sven, who may still write notes."""
    for name, therapist, days, secret in (
        ("ben's with rosa, closed", rosa, 40, "rosa's note about ben, closed"),
        ("ben's with sven, just ended", sven, 5, "sven's note about ben, to be closed"),
    ):
        ended = at - timedelta(days=days)
        episode = Episode(
            client=ben, therapist=therapist, service="individual", place="US-WA",
            opened_at=ended - timedelta(days=90), ended_at=ended, ended_because="completed",
        )  # fmt: skip
        session.add(episode)
        session.flush()
        write_note(session, episode, canary(secret), therapist.user, ended + timedelta(days=1))
        street.add("episode", name, episode.public_id)
    ben.user.name = "Ben Doe"
    [lookup] = look_up(
        session, "ben doe", LookupReason.law, canary("why idris looked ben up"),
        street.people["idris"], at,
    )  # fmt: skip
    street.add("lookup", "ben's by idris", lookup.public_id)


def _open_in_emergencies(
    session: Session, street: Street, ann: Client, ben: Client, at: datetime
) -> None:
    """Noor waits for a second person, Lena was allowed to read, and Noor opened in danger."""
    noor, lena = street.people["noor"], street.people["lena"]
    reason = OpeningReason.therapist_away
    waiting = emergencies.ask(
        session, ben.user.email, reason, canary("why noor asks to open ben's record"), noor, at
    )
    allowed = emergencies.ask(
        session, ben.user.email, reason, canary("why lena asks to open ben's record"), lena, at
    )
    emergencies.decide(
        session, allowed, approved=True, words="", actor=street.people["clara"], at=at
    )
    danger = emergencies.open_in_danger(
        session, str(ann.public_id), canary("why noor opened ann's record"), noor, at
    )
    street.add("opening", "noor's, waiting", waiting.public_id)
    street.add("opening", "lena's, allowed", allowed.public_id)
    street.add("opening", "noor's, in danger", danger.public_id)


def _let_join_groups(
    session: Session, street: Street, ann: Client, rosa: Therapist, at: datetime
) -> None:
    """Ann has asked for a screened group, holds a seat in a paid one, and both are Rosa's."""
    screened = make_group(session, lead=rosa, kind=GroupKind.therapy, title="Slow mornings", at=at)
    why = canary("why ann asks to join the group")
    asked = ask_to_join(session, screened.public_id, ann, Joining("Annbird", "US-WA", why), at)
    leading.decide_screening(
        session, screened.public_id, asked.public_id, invited=False,
        reason=canary("why rosa invites her"), actor=rosa.user, at=at,
    )  # fmt: skip
    again = ask_to_join(session, screened.public_id, ann, Joining("Annbird", "US-WA", why), at)
    paid = make_group(session, lead=rosa, title=TITLE, at=at)
    evidence = {"typed_name": "Ann Doe", "ticked": True}
    seat = take_seat(
        session, paid.public_id, ann, Joining("Annbird", "US-WA", evidence=evidence), at
    )
    assert seat.state is EnrolmentState.held
    for name, group in (("the screened one", screened), ("the paid one", paid)):
        assert isinstance(group, Group)
        street.add("group", name, group.public_id)
    for name, enrolment in (("ann's request", again), ("ann's seat", seat)):
        assert isinstance(enrolment, Enrolment)
        street.add("enrolment", name, enrolment.public_id)
    assert seat.order_id is not None
    street.add("order", "ann's", seat.order_id)
    street.order_seat = seat.public_id


def _check_an_applicant(session: Session, street: Street, at: datetime) -> None:
    ines = street.people["ines"]
    omar = make_applicant(session, "Omar Diaz", state=ApplicationState.in_review, at=at)
    check_licence(
        session, omar.licences[0], ines, at=at,
        verbatim_status=canary("what the board's page said"), found_number="another",
    )  # fmt: skip
    credentials.decide(
        session, omar.application, "needs_info", actor=ines, at=at + timedelta(minutes=5),
        reason=canary("why the board's page is not enough"), missing="Please add your number.",
    )  # fmt: skip
    street.add("application", "omar's", omar.application.public_id)
    street.add("licence", "omar's", omar.licences[0].public_id)


def _try_weights(session: Session, street: Street, at: datetime) -> None:
    """Ines has had other weights tried out, and can publish them."""
    weights = {**DEFAULT_WEIGHTS.by_factor, "hours": 160, "format": 40}
    preview = weights_preview.ask(session, weights, "Hours", street.people["ines"], at)
    preview.made_at, preview.engine_version = at, ENGINE_VERSION
    preview.figures = figures_of([], findable=3)
    street.add("weights_preview", "ines's", preview.public_id)


def _name_what_is_left(session: Session, street: Street, sven: Therapist, rosa: Therapist) -> None:
    street.add("licence", "rosa's", rosa.licences[0].public_id)
    street.add("therapist", "rosa", rosa.public_id)
    street.add("associate", "rosa", rosa.public_id)
    for purpose in (Purpose.treatment, Purpose.group):
        signed = session.scalars(sa.select(Signature).where(Signature.purpose == purpose)).first()
        assert signed is not None
        street.add("signature", f"ann's for {purpose.value}", signed.public_id)
    document = session.scalars(sa.select(ConsentDocument)).first()
    assert document is not None
    street.add("document", "a published one", document.public_id)
