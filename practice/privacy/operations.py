"""Being forgotten: asked for, put off, called off, done, and done again when more may go.

Everything that others must hear of goes through the rooms' own operations, so that therapists are
told, seats are free again and money goes back by the public rules.
"""

import uuid
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import audit
from core.errors import Refusal, WrongState
from core.readings import viewed
from practice.accounts.models import STAFF_ROLES, Client, Role, User
from practice.accounts.operations import end_all_sessions
from practice.appointments import operations as appointments
from practice.care import operations as care
from practice.care.emergency import operations as emergencies
from practice.care.models import EndReason
from practice.care.opened import OPERATOR
from practice.consent import operations as consents
from practice.consent.models import Purpose
from practice.groups import operations as groups
from practice.matches import operations as matches
from practice.privacy import queries
from practice.privacy.deleting import blank_traces
from practice.privacy.forgetting import forget
from practice.privacy.keeping import is_held
from practice.privacy.mails import say_goodbye, say_it_waits
from practice.privacy.models import ErasureRequest, LegalHold, RetentionRun

PUT_OFF = timedelta(days=7)
LAST = (
    Purpose.learning,
    Purpose.group,
    Purpose.treatment,
    Purpose.assessment,
    Purpose.privacy_notice,
)


class PlanChanged(Refusal):
    message = (
        "Something has changed since you opened the page: what goes back to you is another amount "
        "now. Please look at it again. Nothing has been erased."
    )


class WorksHere(Refusal):
    message = (
        "This account also belongs to somebody who works here. Please ask an administrator to end "
        "that first; nothing has been erased."
    )


class HeldAlready(Refusal):
    message = "A hold stands on this record already."


def ask_for_later(session: Session, client: Client, at: datetime) -> ErasureRequest:
    """Be forgotten in seven days unless called off; asking twice is asking once."""
    consents.lock_consents_of(session, client)
    _refuse_staff(client.user)
    waiting = queries.waiting_erasure(session, client)
    if waiting is not None:
        return waiting
    request = _added(session, client, at, due_at=at + PUT_OFF)
    _record(session, client, client.user, request, "erasure.asked", at)
    say_it_waits(session, client.user, request, at)
    return request


def call_off(session: Session, client: Client, at: datetime) -> None:
    """Stay after all; raises WrongState when nothing waits."""
    waiting = queries.waiting_erasure(session, client)
    if waiting is None:
        raise WrongState
    waiting.cancel(at)
    session.flush()
    _record(session, client, client.user, waiting, "erasure.called_off", at)


def erase(
    session: Session,
    client: Client,
    actor: User | None,
    at: datetime,
    *,
    expected: int | None = None,
    refunding: bool = True,
) -> ErasureRequest:
    """Forget a client: end what goes on, delete what may go, restrict what must stay.

    `expected` is what the person was shown as going back to them, in minor units; `actor` is None
    when time or an operator does it. Raises PlanChanged and WorksHere. Erasing somebody who is
    erased gives the request there is, and deletes what may go meanwhile.
    """
    consents.lock_consents_of(session, client)
    _refuse_staff(client.user)
    earlier = queries.done_erasure(session, client)
    if earlier is not None:
        finish(session, client, at)
        return earlier
    if expected is not None and expected != queries.refund_of_leaving(session, client, at):
        raise PlanChanged
    request = queries.waiting_erasure(session, client) or _added(session, client, at, due_at=at)
    _end_what_goes_on(session, client, at, refunding=refunding)
    request.done_at = at
    end_all_sessions(session, client.user, client.user, at)
    _record(session, client, actor, request, "client.erased", at)
    if refunding:
        told = _tell_of_openings(session, client, request, at)
        say_goodbye(session, client.user, request, at, told=told)
    if not is_held(session, client):
        blank_traces(session, client, at)
    forget(session, client, request, at)
    return request


def finish(session: Session, client: Client, at: datetime) -> bool:
    """Delete what the law has let go since; returns whether nothing is left to wait for."""
    request = queries.done_erasure(session, client)
    if request is None:
        raise WrongState
    return forget(session, client, request, at)


def erase_again(owner: uuid.UUID, *, session: Session, at: datetime) -> None:
    """Receiver of `replayed`: a restored backup has this client's rows; forget them once more.

    Terms count from the erasure itself. No mail and no refund: those happened back then.
    """
    client = queries.client_with(session, owner)
    if client is not None:
        erase(session, client, None, at, refunding=False)


def place_hold(
    session: Session, client: Client, reason: str, actor: User, at: datetime
) -> LegalHold:
    """Let nothing of this client be deleted until the hold is lifted; raises HeldAlready."""
    if is_held(session, client):
        raise HeldAlready
    hold = LegalHold(client=client, reason=reason, placed_at=at, placed_by=actor)
    try:
        with session.begin_nested():
            session.add(hold)
    except IntegrityError:
        raise HeldAlready from None
    _record_hold(session, hold, actor, "hold.placed", at)
    return hold


def lift_hold(session: Session, hold: LegalHold, actor: User, at: datetime) -> None:
    """What was asked to go and waited for this goes with the next keeping of the schedule.

    Names go out of the log at once, as they would have without the hold.
    """
    hold.lift(actor, at)
    session.flush()
    _record_hold(session, hold, actor, "hold.lifted", at)
    if queries.done_erasure(session, hold.client) is not None:
        blank_traces(session, hold.client, at)


def _tell_of_openings(
    session: Session, client: Client, request: ErasureRequest, at: datetime
) -> bool:
    """Emergency openings they do not know of yet: for the page of the erasure, and without a name.

    The row names nobody, so that it outlives the names in the log.
    """
    told = emergencies.tell_on_leaving(session, client, at)
    openings = [
        {"at": one.opened_at.isoformat(), "role": one.asked_as, "reason": one.reason.value}
        for one in told
        if one.opened_at
    ]
    if not openings:
        return False
    audit.record(
        session,
        at=at,
        action=queries.OPENINGS_TOLD,
        subject_kind="erasure_request",
        subject_id=request.public_id,
        actor_id=None,
        actor_role="",
        openings=openings,
    )
    return True


def _end_what_goes_on(session: Session, client: Client, at: datetime, *, refunding: bool) -> None:
    """Through the rooms' own doors, the last agreement taken back last."""
    user = client.user
    for enrolment in queries.live_enrolments(session, client):
        refund = groups.refund_now(session, enrolment, at) if refunding else 0
        if refunding:
            groups.leave(session, enrolment.public_id, client, refund, at)
        else:
            enrolment.leave(at)
    for purpose in LAST:
        for signature in queries.standing_signatures(session, client, purpose):
            # Taking one back takes its earlier versions back with it.
            session.refresh(signature, ["revocation"])
            if signature.revocation is None:
                consents.revoke(session, signature, user, at)
    for request in queries.waiting_requests(session, client):
        matches.withdraw(session, request, user, at)
    for episode in queries.open_episodes(session, client):
        care.end(session, episode, EndReason.consent_withdrawn, user, at)
    for meeting in queries.meetings_ahead(session, client, at):
        appointments.cancel(session, meeting, user, at)
    session.flush()


def record_copy(session: Session, client: Client, actor: User | None, at: datetime) -> None:
    """A copy of everything was made: by the client, or (None) by whoever runs the machine.

    The latter is a reading by somebody else, and the client finds it among the others.
    """
    if actor is None:
        _record_reading(session, client, at)
        return
    audit.record(
        session,
        at=at,
        action="export.made",
        subject_kind="client",
        subject_id=client.public_id,
        actor_id=actor.public_id,
        actor_role=Role.client,
        client_id=client.public_id,
    )
    session.flush()


def _record_reading(session: Session, client: Client, at: datetime) -> None:
    viewed(
        session,
        at=at,
        action="copy.viewed",
        subject_kind="client",
        subject_id=client.public_id,
        actor_id=None,
        actor_role=OPERATOR,
        clients=[client.public_id],
    )


def record_run(session: Session, run: RetentionRun, at: datetime) -> None:
    audit.record(
        session,
        at=at,
        action="retention.kept",
        subject_kind="retention_run",
        subject_id=run.public_id,
        actor_id=run.by.public_id if run.by else None,
        actor_role=Role.administrator if run.by else "",
        **run.gone,
        **({"failed": run.failed} if run.failed else {}),
    )
    session.flush()


def _refuse_staff(user: User) -> None:
    if user.roles & STAFF_ROLES:
        raise WorksHere


def _added(session: Session, client: Client, at: datetime, *, due_at: datetime) -> ErasureRequest:
    request = ErasureRequest(client_ref=client.public_id, asked_at=at, due_at=due_at)
    session.add(request)
    session.flush()
    return request


def _record(
    session: Session,
    client: Client,
    actor: User | None,
    request: ErasureRequest,
    action: str,
    at: datetime,
) -> None:
    audit.record(
        session,
        at=at,
        action=action,
        subject_kind="erasure_request",
        subject_id=request.public_id,
        actor_id=actor.public_id if actor else None,
        actor_role=actor.main_role if actor else "",
        client_id=client.public_id,
    )
    session.flush()


def _record_hold(session: Session, hold: LegalHold, actor: User, action: str, at: datetime) -> None:
    audit.record(
        session,
        at=at,
        action=action,
        subject_kind="legal_hold",
        subject_id=hold.public_id,
        actor_id=actor.public_id,
        actor_role=Role.administrator,
        client_id=hold.client.public_id,
    )
    session.flush()
