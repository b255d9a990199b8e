"""Who may see an episode of care: access derives from the open episode and the client's consent."""

import sqlalchemy as sa

from core.database import db
from practice.accounts.models import User
from practice.care.models import Episode
from practice.consent.models import Purpose
from practice.consent.policy import in_force, stood_beyond
from practice.consent.purposes import therapist_scope
from practice.therapists.models import Level, Therapist


def episodes_visible_to(user: User) -> sa.Select[Episode]:
    """Open episodes of this therapist, and of the associates they supervise, as consented.

    The treatment consent names the therapist and says that an associate's supervisor reads along.
    Taken back, or with the episode ended, the record is not there for either of them.
    """
    treated = [_treated_by(therapist) for therapist in _self_and_associates(user)]
    return sa.select(Episode).where(Episode.ended_at.is_(None), sa.or_(sa.false(), *treated))


def own_episodes(user: User) -> sa.Select[Episode]:
    """Those whom this therapist treats; only the treating therapist ends an episode."""
    own = sa.select(Therapist.id).where(Therapist.user_id == user.id)
    return episodes_visible_to(user).where(Episode.therapist_id.in_(own))


def scores_stay_open() -> sa.ColumnElement[bool]:
    """Of `Episode`: the consent to assessment stands, or was taken back when the care had begun.

    No therapist sees the scores who did not treat already when it was taken back.
    """
    return stood_beyond(Purpose.assessment, Episode.client_id, Episode.opened_at)


def _self_and_associates(user: User) -> list[sa.Row[tuple[int, object]]]:
    own = sa.select(Therapist.id).where(Therapist.user_id == user.id)
    supervised = sa.and_(
        Therapist.level == Level.associate,
        Therapist.supervisor_id.in_(own),
        Therapist.supervisor_confirmed_at.is_not(None),
    )
    treating = sa.select(Therapist.id, Therapist.public_id)
    return list(
        db.session.execute(treating.where(sa.or_(Therapist.user_id == user.id, supervised)))
    )


def _treated_by(therapist: sa.Row[tuple[int, object]]) -> sa.ColumnElement[bool]:
    scope = therapist_scope(therapist.public_id)
    consented = in_force(Purpose.treatment, Episode.client_id, scope)
    return sa.and_(Episode.therapist_id == therapist.id, consented)
