"""The therapist's page of how they are found."""

from flask import redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from core.access import policy
from core.clock import now
from core.database import db
from practice.matches.blueprint import bp
from practice.matches.models import MatchRequest
from practice.matches.policy import requests_to
from practice.matches.reach.counting import FEWEST, FEWEST_NAMED, PERIOD, Period
from practice.matches.reach.figures import report_of
from practice.matches.reach.words import PERIODS, SINCE, requests_in_words, told
from practice.therapists.policy import is_therapist
from practice.therapists.queries import therapist_of


@bp.get("/profile/found")
@policy(is_therapist)
def reach() -> str | Response:
    """How often they were found lately, and which of their own settings cost most."""
    therapist = therapist_of(current_user.user)
    if therapist is None:
        return redirect(url_for("therapists.apply"), 303)
    at, report = now(), report_of(therapist, now())
    lately = requests_to(current_user.user).where(MatchRequest.sent_at > at - SINCE)
    return render_template(
        "matches/reach.html",
        therapist=therapist,
        report=report,
        told=told(report.figures) if report else None,
        requests=requests_in_words(db.session.scalars(lately).all(), at),
        periods=PERIODS,
        fewest=FEWEST,
        fewest_named=FEWEST_NAMED,
        next_count=Period.at(at).until + PERIOD,
        hours_are_fresh=therapist.hours_are_fresh(at),
    )
