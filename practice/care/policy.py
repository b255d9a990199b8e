"""Who may see an episode of care: access derives from the open episode and the client's consent.

What outlives both, the closing notes and the custodian's records, stands below it; opening a
record in an emergency stands in `emergency_policy`.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.database import db
from practice.accounts.models import Client, Role, User
from practice.accounts.policy import has_role
from practice.care.models import CLOSING_NOTES, LOOKUP, Episode, RecordLookup
from practice.consent.going_on import is_scope
from practice.consent.models import Purpose
from practice.consent.policy import beyond_consent, in_force, stood_beyond
from practice.consent.purposes import therapist_scope
from practice.therapists.models import Level, Therapist

is_custodian = has_role(Role.records_custodian)


def episodes_visible_to(user: User) -> sa.Select[Episode]:
    """Open episodes of this therapist, and of the associates they supervise, as consented.

    A supervisor reads along where the client agreed to this very supervisor, and only while they
    supervise. Taken back, or with the episode ended, the record is not there for either of them.
    """
    treated = [_treated_by(therapist, user) for therapist in _self_and_associates(user)]
    return sa.select(Episode).where(Episode.ended_at.is_(None), sa.or_(sa.false(), *treated))


def own_episodes(user: User) -> sa.Select[Episode]:
    """Those whom this therapist treats; only the treating therapist ends an episode."""
    return episodes_visible_to(user).where(_is_own(user))


@beyond_consent("an episode of one's own care: a client may always see with whom they are")
def episodes_of(client: Client) -> sa.Select[Episode]:
    return sa.select(Episode).where(Episode.client_id == client.id)


@beyond_consent("the law's record is finished even where the consent was taken back: notes only")
def episodes_to_close(user: User, at: datetime) -> sa.Select[Episode]:
    """Ended ones whose responsible clinician may still write closing notes; nothing else of them.

    The last instant is the one before thirty days have passed.
    """
    return sa.select(Episode).where(_is_own(user), Episode.ended_at > at - CLOSING_NOTES)


@beyond_consent("nothing of it is shown: what its clinician adds goes to the custodian")
def episodes_handed_on(user: User, at: datetime) -> sa.Select[Episode]:
    """This clinician's ended ones that the custodian holds: for a late note, never to read."""
    return sa.select(Episode).where(_is_own(user), Episode.ended_at <= at - CLOSING_NOTES)


@beyond_consent("what the law keeps is held by the custodian, closed to everybody else")
def closed_episodes(user: User, at: datetime) -> sa.Select[Episode]:
    """Ended ones whose time for closing notes is over, for the records custodian.

    Nobody is the custodian of their own record.
    """
    if not user.has(Role.records_custodian):
        return sa.select(Episode).where(sa.false())
    return sa.select(Episode).where(
        Episode.ended_at <= at - CLOSING_NOTES, Episode.client_id.not_in(_records_of(user))
    )


@beyond_consent("it names only who was looked up, for whoever did, and no longer than an hour")
def lookups_of(user: User, at: datetime) -> sa.Select[RecordLookup]:
    """What this custodian found within the last hour, each with its reason."""
    if not user.has(Role.records_custodian):
        return sa.select(RecordLookup).where(sa.false())
    return sa.select(RecordLookup).where(
        RecordLookup.user_id == user.id,
        RecordLookup.at > at - LOOKUP,
        RecordLookup.client_id.not_in(_records_of(user)),
    )


def scores_stay_open() -> sa.ColumnElement[bool]:
    """Of `Episode`: the consent to assessment stands, or was taken back when the care had begun.

    No therapist sees the scores who did not treat already when it was taken back.
    """
    return stood_beyond(Purpose.assessment, Episode.client_id, Episode.opened_at)


def care_is_over(signature: Any) -> sa.ColumnElement[bool]:
    """Of a treatment's `Signature`: the care with that therapist has ended, and none goes on."""
    theirs = (
        sa.select(Episode.id)
        .join(Therapist, Therapist.id == Episode.therapist_id)
        .where(Episode.client_id == signature.client_id)
        .where(is_scope(signature.scope, "therapist", Therapist.public_id))
    )
    goes_on = theirs.where(Episode.ended_at.is_(None))
    return sa.and_(theirs.exists(), ~goes_on.exists())


def _self_and_associates(user: User) -> list[sa.Row[tuple[int, object, int]]]:
    supervised = sa.and_(
        Therapist.level == Level.associate,
        Therapist.supervisor_id.in_(_profiles_of(user)),
        Therapist.supervisor_confirmed_at.is_not(None),
    )
    treating = sa.select(Therapist.id, Therapist.public_id, Therapist.user_id)
    return list(
        db.session.execute(treating.where(sa.or_(Therapist.user_id == user.id, supervised)))
    )


def _treated_by(therapist: sa.Row[tuple[int, object, int]], user: User) -> sa.ColumnElement[bool]:
    scope = therapist_scope(therapist.public_id)
    consented = in_force(Purpose.treatment, Episode.client_id, scope)
    theirs = sa.and_(Episode.therapist_id == therapist.id, consented)
    if therapist.user_id == user.id:
        return theirs
    return sa.and_(theirs, Episode.supervisor_id.in_(_profiles_of(user)))


def _is_own(user: User) -> sa.ColumnElement[bool]:
    return Episode.therapist_id.in_(_profiles_of(user))


def _profiles_of(user: User) -> sa.Select[int]:
    return sa.select(Therapist.id).where(Therapist.user_id == user.id)


def _records_of(user: User) -> sa.Select[int]:
    return sa.select(Client.id).where(Client.user_id == user.id)
