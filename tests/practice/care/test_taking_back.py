"""A consent taken back: afterwards page, list, search, calendar and download show nothing.

For each purpose everything that rests on it is walked, before (so that the walk can fail) and
after; the rows themselves are put back as they were, so that only the clause is tried.
"""

import pytest
import sqlalchemy as sa

from core.database import db, unit_of_work
from practice.appointments.models import Appointment, AppointmentState
from practice.care.models import Episode
from practice.consent.models import Purpose, Signature
from practice.consent.operations import revoke
from practice.groups.models import Enrolment
from practice.intake.models import RiskFlag
from practice.matches.models import MatchRequest
from tests.builders.accounts import sign_in
from tests.journeys.street import build, canary

ANN = "ann's story, shared with rosa"
# purpose → (who looks, address with the thing in it, what stands there while the consent does)
RESTS_ON = {
    Purpose.treatment: (
        ("rosa", "/caseload", "/caseload/{episode}"),
        ("rosa", "/caseload/{episode}", canary(ANN)),
        ("rosa", "/caseload/{episode}/end", "End the care of Ann"),
        ("sven", "/caseload", "with Rosa Almeida"),
        ("sven", "/caseload/{episode}", canary(ANN)),
        ("rosa", "/today", "/appointments/{appointment}"),
        ("rosa", "/appointments/{appointment}", "Ann"),
        ("rosa", "/appointments/{appointment}/calendar.ics", "BEGIN:VEVENT"),
        ("rosa", "/appointments/{appointment}/cancellation", "Ann"),
    ),
    Purpose.group: (("rosa", "/led-groups/{group}", "Annbird"),),
    Purpose.privacy_notice: (
        ("rosa", "/requests", "/requests/{match_request}"),
        ("rosa", "/requests/{match_request}", "asks for a first meeting"),
        ("rosa", "/today", "/requests/{match_request}"),
        ("rosa", "/led-groups/{screened}", canary("why ann asks to join the group")),
        ("ben", "/matches", "Rosa"),
    ),
    Purpose.assessment: (
        ("noor", "/flags", "/flags/{closed_flag}"),
        ("noor", "/flags/{closed_flag}", canary("why the flag was closed")),
    ),
}


@pytest.fixture
def street(app):
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context(), unit_of_work() as session:
        return build(session)


@pytest.mark.parametrize("purpose", RESTS_ON)
def test_nothing_that_rests_on_a_consent_outlives_it(app, street, purpose):
    walk = RESTS_ON[purpose]
    assert all(is_there(app, street, *one) for one in walk), [
        one for one in walk if not is_there(app, street, *one)
    ]
    before = states(app)
    take_back(app, purpose)
    put_back(app, before)
    assert [one for one in walk if is_there(app, street, *one)] == []


def is_there(app, street, who, address, words):
    things = {
        "episode": street.things["episode"]["ann's with rosa"],
        "appointment": street.things["appointment"]["ann's with rosa"],
        "match_request": street.things["match_request"]["ben's to rosa"],
        "group": street.things["group"]["the paid one"],
        "screened": street.things["group"]["the screened one"],
        "closed_flag": street.things["flag"]["ben's"],
    }
    browser = app.test_client()
    with app.app_context():
        sign_in(browser, db.session.merge(street.people[who]))
    answer = browser.get(address.format(**things))
    return answer.status_code == 200 and words.format(**things) in answer.text


def take_back(app, purpose):
    with app.app_context(), unit_of_work() as session:
        for signature in session.scalars(sa.select(Signature).filter_by(purpose=purpose)):
            if signature.revocation is None:
                revoke(session, signature, signature.client.user, signature.signed_at)


KEPT = (
    (Episode, ("ended_at", "ended_because")),
    (Appointment, ("state", "cancelled_at", "cancelled_by_id")),
    (MatchRequest, ("state", "answered_at")),
    (Enrolment, ("state", "seat_number", "left_at")),
)


def states(app):
    with app.app_context():
        return {
            (model, row.id): {name: getattr(row, name) for name in names}
            for model, names in KEPT
            for row in db.session.scalars(sa.select(model))
        }


def put_back(app, before):
    """As though nobody had heard of the revocation: what is left is the clause in the query."""
    with app.app_context(), unit_of_work() as session:
        for (model, key), values in before.items():
            session.execute(sa.update(model).where(model.id == key).values(**values))
        assert session.scalar(sa.select(sa.func.count()).select_from(RiskFlag)) == 2
        booked = sa.select(Appointment).filter_by(state=AppointmentState.booked)
        assert session.scalars(booked).all()
