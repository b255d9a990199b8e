"""The blueprint of therapists, and whose profile a page is about."""

from flask import Blueprint
from flask_login import current_user

from core.errors import NotFound
from practice.therapists.models import Therapist
from practice.therapists.queries import therapist_of

bp = Blueprint("therapists", __name__)


def own_profile(*, lock: bool = False) -> Therapist:
    """The profile of the therapist who is signed in; NotFound before they have begun one.

    `lock` keeps other changes to it waiting until the unit of work ends.
    """
    therapist = therapist_of(current_user.user, lock=lock)
    if therapist is None:
        raise NotFound
    return therapist
