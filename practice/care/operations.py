"""Opening and ending an episode of care, and agreeing to who supervises it."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, object_session

from core import audit
from core.errors import NotFound, WrongState
from practice.accounts.models import Client, User
from practice.accounts.neutral_mail import say_something_waits
from practice.care.models import EndReason, Episode
from practice.care.signals import episode_ended
from practice.consent.models import Purpose, Signature
from practice.consent.purposes import therapist_scope
from practice.matches.models import MatchRequest
from practice.therapists.models import Therapist
from practice.therapists.operations import give_back_place


def open_episode(
    session: Session, request: MatchRequest, place: str, actor: User, at: datetime
) -> Episode:
    """Begin the care that was asked for. The therapist's place was taken when they accepted."""
    episode = Episode(
        client=request.client,
        therapist=request.therapist,
        supervisor=_named_in_the_consent(request.therapist),
        request=request,
        service=request.service,
        place=place,
        opened_at=at,
    )
    session.add(episode)
    session.flush()
    _record(session, episode, actor, at, "episode.opened")
    return episode


def end(session: Session, episode: Episode, because: EndReason, actor: User, at: datetime) -> None:
    """End the care: the place is free again, and meetings still ahead are cancelled.

    Raises WrongState when it has ended.
    """
    _lock(session, episode)
    if not episode.is_open:
        raise WrongState
    episode.ended_at, episode.ended_because = at, because
    give_back_place(session, episode.therapist_id)
    session.flush()
    _record(session, episode, actor, at, "episode.ended", because=because)
    episode_ended.send(episode, session=session, actor=actor, at=at)
    _tell_the_other(session, episode, actor, at)


def agree_to_supervisor(
    session: Session, episode: Episode, supervisor: Therapist, actor: User, at: datetime
) -> None:
    """The client lets a new supervisor of their therapist read along.

    Raises NotFound for somebody else's care, WrongState when it has ended or when this is not (or
    no longer) who supervises.
    """
    _lock_as_client(session, episode, actor)
    if supervisor is not _named_in_the_consent(episode.therapist):
        raise WrongState
    episode.supervisor = supervisor
    session.flush()
    _record(session, episode, actor, at, "supervisor.agreed_to", by=str(supervisor.public_id))


def stop_supervisor(session: Session, episode: Episode, actor: User, at: datetime) -> None:
    """The client takes that back: from now on no supervisor reads along. Raises as above."""
    _lock_as_client(session, episode, actor)
    episode.supervisor = None
    session.flush()
    _record(session, episode, actor, at, "supervisor.taken_back")


def end_with_consent(_purpose: Purpose, *, signature: Signature) -> None:
    """A consent to treatment that is taken back ends what it allowed, at once."""
    session, revocation = object_session(signature), signature.revocation
    if signature.purpose is not Purpose.treatment or session is None or revocation is None:
        return
    for episode in open_episodes_under(session, signature.client, signature.scope):
        _lock(session, episode)
        # The therapist may have ended it meanwhile; taking a consent back never fails for that.
        if not episode.is_open:
            continue
        actor = signature.client.user
        end(session, episode, EndReason.consent_withdrawn, actor, revocation.revoked_at)


def open_episodes_under(session: Session, client: Client, scope: str) -> list[Episode]:
    """The client's open episodes with the therapist whom this scope names."""
    theirs = sa.select(Episode).where(Episode.client_id == client.id, Episode.ended_at.is_(None))
    found = session.scalars(theirs).all()
    return [one for one in found if therapist_scope(one.therapist.public_id) == scope]


def _named_in_the_consent(therapist: Therapist) -> Therapist | None:
    """The supervisor beside the text that is signed: of an associate, and only once they agreed."""
    is_supervised = therapist.is_associate and therapist.supervisor_confirmed_at is not None
    return therapist.supervisor if is_supervised else None


def _lock_as_client(session: Session, episode: Episode, actor: User) -> None:
    if episode.client.user_id != actor.id:
        raise NotFound
    _lock(session, episode)
    if not episode.is_open:
        raise WrongState


def _lock(session: Session, episode: Episode) -> None:
    """The row as it is now, kept from others until the transaction ends."""
    session.refresh(episode, with_for_update={"of": Episode})


def _tell_the_other(session: Session, episode: Episode, actor: User, at: datetime) -> None:
    by_client = actor.id == episode.client.user_id
    other = episode.therapist.user if by_client else episode.client.user
    about = f"episode ended:{episode.public_id}"
    path = "/caseload" if by_client else "/today"
    say_something_waits(session, other, at, path=path, about=about)


def _record(
    session: Session, episode: Episode, actor: User, at: datetime, action: str, **details: str
) -> None:
    audit.record(
        session,
        at=at,
        action=action,
        subject_kind="episode",
        subject_id=episode.public_id,
        actor_id=actor.public_id,
        actor_role="client" if actor.id == episode.client.user_id else "therapist",
        client_id=episode.client.public_id,
        **details,
    )
