"""Asking a therapist and answering: one request out at a time, one open place for each yes.

Each takes the actor and the instant, records the act and flushes; the caller commits.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, object_session

import matching
from core import audit
from core.errors import NotAllowed, Refusal, WrongState
from matching.prices import NO_PRICES
from practice.accounts.models import Client, Role, User
from practice.accounts.neutral_mail import say_something_waits
from practice.consent.models import Purpose, Signature
from practice.consent.operations import lock_consents_of
from practice.intake.queries import answers_of
from practice.matches.deadlines import answer_due, time_due
from practice.matches.kept import A_LIST, ShownAs, points_of, prices_of, proposal_digest
from practice.matches.market.entries import Entry, entries_of
from practice.matches.models import (
    MatchAlert,
    MatchRequest,
    Proposal,
    ProposalKind,
    RequestState,
    WeightsVersion,
)
from practice.matches.policy import requests_of
from practice.matches.queries import footing_of, submitted_intake
from practice.matches.reviews import operations as review_operations
from practice.matches.search import values_for
from practice.matches.sharing import chosen
from practice.matches.signals import request_accepted, request_closed
from practice.therapists.models import Therapist
from practice.therapists.operations import NoRoom, give_back_place, take_place
from practice.therapists.queries import has_authority

WAITING = (RequestState.sent, RequestState.accepted)

# The rules that are not the client's own to waive.
MAY_NOT_SEE_THEM = frozenset({"licence", "age", "service", "scope", "exclusion"})


class AlreadyAsking(Refusal):
    message = "You have asked somebody already. You can ask one person at a time."


class NotOffered(Refusal):
    message = "This therapist cannot be asked at the moment."


class NoPlaceYet(Refusal):
    message = "Please say where you will be when you meet. A licence counts for one place."


class TooLate(WrongState):
    message = (
        "The time to answer this request has passed, and somebody else is being offered. "
        "It is no longer open."
    )


def ensure_weights(session: Session, at: datetime) -> None:
    """Write down the first weights as version 1 where no version is there yet."""
    if session.scalar(sa.select(WeightsVersion.id).limit(1)) is None:
        first = matching.DEFAULT_WEIGHTS
        session.add(
            WeightsVersion(
                version=first.version,
                weights=first.by_factor,
                reason="The weights this product begins with.",
                decided_at=at,
            )
        )
        session.flush()


def keep_proposal(
    session: Session,
    client: Client,
    values: matching.Client,
    shown: Iterable[matching.Therapist],
    weights: matching.Weights,
    at: datetime,
    prices: matching.Prices = NO_PRICES,
    shown_as: ShownAs = A_LIST,
) -> Proposal | None:
    """Keep what was shown and from what, so that it can be replayed; None if it is kept already."""
    ensure_weights(session, at)
    proposal = _proposal(client, values, shown, weights, prices, at, shown_as)
    if _is_kept(session, proposal) or not _added(session, proposal):
        return None
    return proposal


def keep_proposals(
    session: Session,
    shown: Iterable[tuple[Client, matching.Client, matching.Therapist]],
    weights: matching.Weights,
    at: datetime,
) -> None:
    """As `keep_proposal`, for many clients to each of whom one therapist is shown."""
    ensure_weights(session, at)
    proposals = [
        _proposal(client, values, [therapist], weights, NO_PRICES, at)
        for client, values, therapist in shown
    ]
    known = _kept_among(session, proposals)
    new = [one for one in proposals if (one.client_id, one.digest) not in known]
    try:
        with session.begin_nested():
            session.add_all(new)
    except IntegrityError:  # One of them was kept meanwhile: each by itself then.
        for proposal in new:
            _added(session, proposal)


def ask(
    session: Session,
    client: Client,
    therapist: Therapist,
    *,
    share: Collection[str],
    name: str,
    actor: User,
    at: datetime,
    keeps_place: bool = False,
) -> MatchRequest:
    """Ask a therapist for a first meeting, sharing only what was chosen (codes of `sharing`).

    `keeps_place`: an open place was taken for it already, so that a full therapist can be asked; it
    goes back if the request ends without a yes. Raises NoPlaceYet, AlreadyAsking, NotOffered (not
    listed for the client's place) and NoRoom.
    """
    lock_consents_of(session, client)
    if not client.place:
        raise NoPlaceYet
    _close_what_is_overdue(session, client, at)
    answers = answers_of(submitted_intake(client))
    _require_offered(client, answers, therapist, at, needs_room=not keeps_place)
    request = MatchRequest(
        client=client,
        therapist=therapist,
        proposal=_newest_proposal_with(session, client, therapist),
        place=client.place,
        service=answers.get("service") or "individual",
        shared=chosen(answers, share, name or client.preferred_name),
        sent_at=at,
        answer_due_at=answer_due(at, therapist.zone),
        keeps_place=keeps_place,
    )
    # Who has told nobody else yet what to be called is called that from here on.
    client.preferred_name = client.preferred_name or request.shared["name"]
    _add_as_the_only_one(session, request)
    _record(session, request, actor, at, "request.sent", shared=sorted(request.shared))
    _tell_therapist(session, request, at, "request sent")
    return request


def accept(session: Session, request: MatchRequest, actor: User, at: datetime) -> None:
    """The therapist says yes and gives one of their open places.

    Raises NotAllowed, WrongState, TooLate, NoRoom, and NotOffered when they may no longer see
    somebody in that place.
    """
    _require_own(request, actor)
    lock(session, request)
    if request.is_overdue(at):
        raise TooLate
    request.move_to(RequestState.accepted, at)
    if not has_authority(request.therapist_id, request.place, at):
        raise NotOffered(
            "Your licence for the place where they are is not in force, so you cannot accept now."
        )
    _give_a_place(session, request)
    session.flush()
    _record(session, request, actor, at, "request.accepted")
    _tell_client(session, request, at, "request accepted")
    request_accepted.send(request, session=session, at=at)


def decline(
    session: Session, request: MatchRequest, actor: User, at: datetime, reply: str = ""
) -> None:
    """The therapist says no; no reason is asked for, a few words to the client may go along."""
    _require_own(request, actor)
    lock(session, request)
    request.move_to(RequestState.declined, at)
    request.reply = reply
    _give_back_what_was_kept(session, request)
    session.flush()
    _record(session, request, actor, at, "request.declined")
    _tell_client(session, request, at, "request declined")


def withdraw(session: Session, request: MatchRequest, actor: User, at: datetime) -> None:
    """The client takes the request back; an accepted one gives its place back."""
    lock(session, request)
    was_accepted = request.state is RequestState.accepted
    request.move_to(RequestState.withdrawn, at)
    if was_accepted:
        _close_accepted(session, request, at)
    _give_back_what_was_kept(session, request)
    session.flush()
    _record(session, request, actor, at, "request.withdrawn")
    _tell_therapist(session, request, at, "request withdrawn")


def meet(session: Session, request: MatchRequest, at: datetime) -> None:
    """The first meeting is booked; raises WrongState unless it was accepted and still is."""
    lock(session, request)
    request.move_to(RequestState.met, at)
    session.flush()


def lapse(session: Session, request: MatchRequest, at: datetime) -> bool:
    """Close a request whose time has passed: no answer, or a yes that led to no meeting."""
    lock(session, request)
    if not is_due(request, at):
        return False
    was_accepted = request.state is RequestState.accepted
    request.move_to(RequestState.lapsed, at)
    if was_accepted:
        _close_accepted(session, request, at)
    _give_back_what_was_kept(session, request)
    session.flush()
    _record(session, request, None, at, "request.lapsed", was_accepted=was_accepted)
    _tell_client(session, request, at, "request lapsed")
    return True


def is_due(request: MatchRequest, at: datetime) -> bool:
    if request.state is RequestState.accepted:
        return time_due(request) <= at
    return request.is_overdue(at)


def ask_to_be_told(session: Session, client: Client, at: datetime) -> None:
    """Remember that this client wants one mail when somebody can be offered."""
    alert = session.scalars(sa.select(MatchAlert).where(MatchAlert.client_id == client.id)).first()
    if alert is None:
        alert = MatchAlert(client=client)
        session.add(alert)
    alert.asked_at, alert.told_at = at, None
    session.flush()


def tell(session: Session, alert: MatchAlert, at: datetime) -> None:
    alert.told_at = at
    session.flush()
    about = f"somebody found:{alert.asked_at.isoformat()}"
    say_something_waits(session, alert.client.user, at, path="/matches", about=about)


def set_place(session: Session, client: Client, place: str, actor: User, at: datetime) -> None:
    """Keep where the client will be, asked for when nobody can be offered without it."""
    client.place = place
    session.flush()
    audit.record(
        session,
        at=at,
        action="place.set",
        subject_kind="client",
        subject_id=client.public_id,
        actor_id=actor.public_id,
        actor_role=Role.client,
        client_id=client.public_id,
    )


def stop_with_the_notice(_purpose: Purpose, *, signature: Signature) -> None:
    """Without the privacy notice nobody new sees anything: what waits for an answer ends."""
    session, revocation = object_session(signature), signature.revocation
    if signature.purpose is not Purpose.privacy_notice or session is None or revocation is None:
        return
    waiting = requests_of(signature.client).where(MatchRequest.state.in_(WAITING))
    for request in session.scalars(waiting).all():
        lock(session, request)
        # The therapist may have answered meanwhile; taking a consent back never fails for that.
        if request.is_waiting:
            withdraw(session, request, signature.client.user, revocation.revoked_at)
    review_operations.withdraw_all(session, signature.client, revocation.revoked_at)


def lock(session: Session, request: MatchRequest) -> None:
    """The row as it is now, kept from others until the transaction ends."""
    session.refresh(request, with_for_update={"of": MatchRequest})


def _proposal(
    client: Client,
    values: matching.Client,
    shown: Iterable[matching.Therapist],
    weights: matching.Weights,
    prices: matching.Prices,
    at: datetime,
    shown_as: ShownAs = A_LIST,
) -> Proposal:
    shown = list(shown)
    return Proposal(
        client_id=client.id,
        kind=shown_as.kind,
        place_told=shown_as.place_told,
        made_at=at,
        digest=proposal_digest(values, shown, weights, prices, shown_as),
        weights_version=weights.version,
        engine_version=matching.ENGINE_VERSION,
        client_inputs=values.to_json(),
        shown=[therapist.to_json() for therapist in shown],
        prices=prices_of(shown, prices),
        points=points_of(values, shown, weights, prices),
    )


def _is_kept(session: Session, proposal: Proposal) -> bool:
    known = sa.select(Proposal.id).where(
        Proposal.client_id == proposal.client_id, Proposal.digest == proposal.digest
    )
    return session.scalar(known) is not None


def _kept_among(session: Session, proposals: Sequence[Proposal]) -> set[tuple[int, str]]:
    known = sa.select(Proposal.client_id, Proposal.digest).where(
        Proposal.client_id.in_([each.client_id for each in proposals]),
        Proposal.digest.in_([each.digest for each in proposals]),
    )
    return {(client_id, digest) for client_id, digest in session.execute(known)}


def _added(session: Session, proposal: Proposal) -> bool:
    try:
        with session.begin_nested():
            session.add(proposal)
    except IntegrityError:
        return False  # Another tab of theirs has kept it since: that row is as good.
    return True


def _close_what_is_overdue(session: Session, client: Client, at: datetime) -> None:
    """The sweep may not have come by yet; nobody waits for it."""
    waiting = requests_of(client).where(MatchRequest.state.in_(WAITING))
    for request in session.scalars(waiting).all():
        lapse(session, request, at)


def _require_offered(
    client: Client,
    answers: dict[str, Any],
    therapist: Therapist,
    at: datetime,
    *,
    needs_room: bool,
) -> None:
    """Where a client's own wishes are not met they may ask all the same; elsewhere they may not."""
    footing = footing_of(client)
    if not footing.has_notice or therapist.user_id == client.user_id:
        raise NotOffered
    values = values_for(client, answers, at, footing)
    entry = entry_now(therapist, values, at)
    if entry is None:
        raise NotOffered
    failing = failing_rules(values, entry.values)
    if failing & MAY_NOT_SEE_THEM:
        raise NotOffered
    if needs_room and "capacity" in failing:
        raise NoRoom


def entry_now(therapist: Therapist, values: matching.Client, at: datetime) -> Entry | None:
    """From the rows of this transaction, whatever any process has kept; None if not listable."""
    return next(iter(entries_of([therapist.id], at, values.on)), None)


def failing_rules(values: matching.Client, therapist: matching.Therapist) -> frozenset[str]:
    index = matching.Index([therapist], on=values.on)
    failures = index.why_not(values, therapist.id).failures
    return frozenset(failure.rule for failure in failures)


def _newest_proposal_with(
    session: Session, client: Client, therapist: Therapist
) -> Proposal | None:
    lists = sa.select(Proposal).where(
        Proposal.client_id == client.id, Proposal.kind == ProposalKind.matches
    )
    newest = session.scalars(lists.order_by(Proposal.id.desc())).first()
    if newest is None:
        return None
    shown = {str(each["id"]) for each in newest.shown}
    return newest if str(therapist.public_id) in shown else None


def _add_as_the_only_one(session: Session, request: MatchRequest) -> None:
    session.add(request)
    try:
        session.flush()
    except IntegrityError as error:
        if "match_requests" in str(error.orig):
            raise AlreadyAsking from error
        raise


def _give_a_place(session: Session, request: MatchRequest) -> None:
    if request.keeps_place:
        request.keeps_place = False  # It is the place of the yes now.
        return
    try:
        take_place(session, request.therapist_id)
    except NoRoom:
        raise NoRoom(
            "You have no open place at the moment. Open one on your profile, then say yes."
        ) from None


def _give_back_what_was_kept(session: Session, request: MatchRequest) -> None:
    if request.keeps_place:
        request.keeps_place = False
        give_back_place(session, request.therapist_id)


def _close_accepted(session: Session, request: MatchRequest, at: datetime) -> None:
    give_back_place(session, request.therapist_id)
    request_closed.send(request, session=session, at=at)


def _require_own(request: MatchRequest, actor: User) -> None:
    if request.therapist.user_id != actor.id:
        raise NotAllowed


def _tell_therapist(session: Session, request: MatchRequest, at: datetime, about: str) -> None:
    about = f"{about}:{request.public_id}"
    say_something_waits(session, request.therapist.user, at, path="/requests", about=about)


def _tell_client(session: Session, request: MatchRequest, at: datetime, about: str) -> None:
    about = f"{about}:{request.public_id}"
    say_something_waits(session, request.client.user, at, path="/matches", about=about)


def _record(
    session: Session,
    request: MatchRequest,
    actor: User | None,
    at: datetime,
    action: str,
    **details: Any,
) -> None:
    audit.record(
        session,
        at=at,
        action=action,
        subject_kind="match_request",
        subject_id=request.public_id,
        actor_id=actor.public_id if actor else None,
        actor_role=_role(request, actor),
        client_id=request.client.public_id,
        **details,
    )


def _role(request: MatchRequest, actor: User | None) -> str:
    if actor is None:
        return ""
    return Role.client if actor.id == request.client.user_id else Role.therapist
