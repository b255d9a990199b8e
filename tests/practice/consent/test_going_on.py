"""Nobody is asked to agree to newer words for what is over, although it was never taken back."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.database import unit_of_work
from core.mail import KeptMail
from core.outbox import drain
from practice.care import operations as care
from practice.care.models import EndReason, Episode
from practice.consent.models import Purpose, Signature
from practice.consent.operations import publish
from practice.consent.policy import has, signatures_of
from practice.consent.queries import is_asked_again, signed_consents
from practice.consent.renewing import how_many_are_asked
from practice.groups.models import EnrolmentState
from tests.builders.accounts import look_again, make_client, sign_in
from tests.builders.care import make_episode
from tests.builders.consent import make_signature
from tests.builders.groups import make_enrolment, make_group
from tests.conftest import NOW

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def episode(session):
    """Care under a treatment consent; the therapist has another client whose care goes on."""
    episode = make_episode(session)
    make_episode(session, therapist=episode.therapist, nth=1)
    return episode


def end(session, episode):
    care.end(session, episode, EndReason.completed, episode.therapist.user, NOW)


def publish_next(session, purpose=Purpose.treatment):
    session.commit()
    with unit_of_work() as work:
        publish(work, purpose, "Newer", "You agree to this, and to calls.\n", None, NOW)
    look_again(session)


def asked(session, purpose=Purpose.treatment):
    return how_many_are_asked(session, purpose, 2)


def test_whose_care_has_ended_is_not_asked_and_not_counted(app, session, http, episode):
    client = episode.client
    assert asked(session) == 2
    end(session, episode)
    assert asked(session) == 1
    publish_next(session)
    assert not is_asked_again(signatures_of(client))
    drain(app, LATER, most=1_000)
    look_again(session)
    told = [mail.to for mail in session.scalars(sa.select(KeptMail)) if "/consents" in mail.body]
    assert len(told) == 1
    assert client.user.email not in told
    sign_in(http, client.user)
    assert "A text you agreed to has changed" not in http.get("/today").text
    page = http.get("/consents").text
    assert "This text has changed" not in page
    assert "has ended" in page
    mine = session.scalars(signatures_of(client).filter_by(purpose=Purpose.treatment)).one()
    page = http.get(f"/consents/{mine.public_id}").text
    assert "has ended" in page
    assert "in force" not in page


def test_the_agreement_itself_stands_until_it_is_taken_back(session, episode):
    end(session, episode)
    scope = f"therapist:{episode.therapist.public_id}"
    assert has(Purpose.treatment, episode.client, scope)
    lines = [one for one in signed_consents(signatures_of(episode.client)) if one.is_over]
    assert [(one.signature.scope, one.is_in_force) for one in lines] == [(scope, True)]


def test_whoever_comes_back_to_the_same_therapist_is_asked(session, episode):
    end(session, episode)
    again = Episode(
        client=episode.client, therapist=episode.therapist, service="individual", place="US-WA",
        opened_at=LATER,
    )  # fmt: skip
    session.add(again)
    session.flush()
    assert asked(session) == 2
    publish_next(session)
    assert is_asked_again(signatures_of(episode.client))


def test_care_with_somebody_else_ends_nothing(session, episode):
    other = make_episode(session, client=episode.client, nth=2)
    end(session, other)
    publish_next(session)
    [over] = [one for one in signed_consents(signatures_of(episode.client)) if one.is_over]
    assert over.signature.scope == f"therapist:{other.therapist.public_id}"
    assert is_asked_again(signatures_of(episode.client))


def test_before_the_first_meeting_is_booked_whoever_signed_is_asked(session):
    signature = make_signature(session, make_client(session), scope="therapist:somebody")
    assert asked(session) == 1
    publish_next(session)
    assert is_asked_again(signatures_of(signature.client))


def test_the_page_of_the_newer_text_is_closed_once_the_care_has_ended(session, http, episode):
    publish_next(session)
    scope = f"therapist:{episode.therapist.public_id}"
    signature = session.scalars(sa.select(Signature).filter_by(scope=scope).order_by(Signature.id))
    renewal = f"/consents/{signature.first().public_id}/renewal"
    client = make_client(session)  # Whoever else signs in first changes nothing.
    sign_in(http, client.user)
    assert http.get(renewal).status_code == 404
    sign_in(http, episode.client.user)
    assert http.get(renewal).status_code == 200
    look_again(session)
    end(session, episode)
    session.commit()
    for answer in (
        http.get(renewal),
        http.post(renewal, data={"agreed": "y", "typed_name": "Sam"}),
    ):
        assert answer.status_code == 303
        assert not answer.location.endswith("/renewal")
    look_again(session)
    assert (
        len(
            session.scalars(
                sa.select(Signature).filter_by(client=episode.client, scope=scope)
            ).all()
        )
        == 1
    )


@pytest.mark.parametrize(
    ("state", "days", "is_asked"),
    [
        (EnrolmentState.seated, 10, True),
        (EnrolmentState.left, 10, False),
        (EnrolmentState.seated, -100, False),
    ],
)
def test_in_a_group_only_who_has_a_seat_and_meets_again_is_asked(session, state, days, is_asked):
    group, client = make_group(session, days=days), make_client(session)
    make_enrolment(session, group, client, state)
    make_signature(session, client, Purpose.group, scope=f"group:{group.public_id}")
    assert asked(session, Purpose.group) == is_asked
    publish_next(session, Purpose.group)
    assert is_asked_again(signatures_of(client)) == is_asked
