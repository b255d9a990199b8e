"""A materially newer text: who is asked again, how they hear of it, and what they see."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from core.database import unit_of_work
from core.mail import KeptMail
from core.outbox import drain
from practice.consent import renewing
from practice.consent.models import Purpose, Signature
from practice.consent.operations import publish
from practice.consent.policy import has, needs_signing
from practice.consent.renewing import how_many_are_asked
from tests.builders.accounts import look_again, make_client, sign_in
from tests.builders.consent import make_document, make_revocation, make_signature
from tests.conftest import NOW

LATER = NOW + timedelta(hours=1)
SCOPE = "therapist:6b1f4a52-0000-4000-8000-000000000001"


def agreed(session, scope=SCOPE, **columns):
    return make_signature(session, make_client(session), scope=scope, **columns)


def publish_next(session, *, material):
    session.commit()
    with unit_of_work() as work:
        return publish(
            work, Purpose.treatment, "Treatment", "You agree to this, and to calls.\n", None, NOW,
            material_change=material,
        )  # fmt: skip


def addresses_written_to(app, session):
    drain(app, LATER, most=1_000)
    look_again(session)
    return sorted(mail.to for mail in session.scalars(sa.select(KeptMail)))


def test_everybody_who_agreed_counts_once_and_nobody_else_does(session):
    first = make_document(session)
    person = agreed(session).client
    make_signature(session, person, scope="therapist:another")
    make_revocation(session, agreed(session))
    make_signature(session, make_client(session), Purpose.group)
    closed = agreed(session)
    closed.client.user.disabled_at = NOW
    make_client(session)
    session.flush()
    assert how_many_are_asked(session, Purpose.treatment, first.version + 1) == 1


def test_whoever_has_signed_the_new_words_is_not_asked_again(session):
    first = make_document(session)
    signature = agreed(session)
    second = make_document(session, version=2, body="Other words.\n")
    assert how_many_are_asked(session, Purpose.treatment, second.version) == 1
    make_signature(session, signature.client, scope=SCOPE, document=second)
    assert how_many_are_asked(session, Purpose.treatment, second.version) == 0
    assert how_many_are_asked(session, Purpose.treatment, second.version + 1) == 1
    assert first.version == 1


def test_a_material_change_is_mailed_once_to_everybody_concerned_and_names_nothing(app, session):
    people = [agreed(session).client.user.email for _ in range(3)]
    agreed_to_something_else = make_signature(session, make_client(session), Purpose.group)
    publish_next(session, material=True)
    assert addresses_written_to(app, session) == sorted(people)
    assert addresses_written_to(app, session) == sorted(people)
    for mail in session.scalars(sa.select(KeptMail)):
        words = f"{mail.subject} {mail.body}".lower()
        assert "/consents" in words
        assert not any(word in words for word in ("consent ", "treat", "therap", "changed", "text"))
    assert agreed_to_something_else.client.user.email not in people


def test_a_change_that_is_not_material_is_mailed_to_nobody(app, session):
    agreed(session)
    publish_next(session, material=False)
    assert addresses_written_to(app, session) == []


def test_many_people_are_told_in_several_steps(app, session, monkeypatch):
    monkeypatch.setattr(renewing, "AT_ONCE", 2)
    people = [agreed(session).client.user.email for _ in range(5)]
    publish_next(session, material=True)
    assert addresses_written_to(app, session) == sorted(people)


@pytest.mark.parametrize("material", [True, False])
def test_at_the_next_visit_the_first_page_says_so_only_if_it_matters(http, session, material):
    signature = agreed(session)
    publish_next(session, material=material)
    sign_in(http, signature.client.user)
    assert ("A text you agreed to has changed" in http.get("/today").text) == material


def test_from_the_first_page_to_the_new_agreement(app, http, session):
    signature = agreed(session)
    publish_next(session, material=True)
    sign_in(http, signature.client.user)
    assert '"/consents"' in http.get("/today").text
    renewal = f"/consents/{signature.public_id}/renewal"
    assert renewal in http.get("/consents").text
    page = BeautifulSoup(http.get(renewal).text, "html.parser")
    assert "calls" in page.select_one(".changes .added").get_text()
    assert has(Purpose.treatment, signature.client, SCOPE)
    shown = [one["value"] for one in page.select('input[name="shown"]')]
    form = {"agreed": "y", "typed_name": "Sam Doe", "shown": shown}
    assert http.post(renewal, data=form).status_code == 303
    look_again(session)
    assert not needs_signing(Purpose.treatment, signature.client, SCOPE)
    assert "has changed" not in http.get("/today").text
    versions = sa.select(Signature.document_id).where(Signature.scope == SCOPE)
    assert len(session.scalars(versions).all()) == 2
