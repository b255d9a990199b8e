import hashlib

import pytest
import sqlalchemy as sa

from core.audit import AuditEntry
from core.errors import WrongState
from practice.accounts.models import Client
from practice.consent import operations
from practice.consent.models import ConsentDocument, Purpose, Revocation, Signature
from practice.consent.policy import has, in_force, may_begin_intake, needs_signing, signatures_of
from practice.consent.purposes import PURPOSES
from practice.consent.queries import NothingPublished, current_document, signed_consents
from practice.consent.signals import consent_revoked
from tests.builders.accounts import make_client
from tests.builders.consent import make_document, make_revocation, make_signature
from tests.conftest import NOW

THERAPIST = "therapist:6f1c2f6e-3c67-4f0b-8f27-1f2b3c4d5e6f"
OTHER = "therapist:00000000-0000-4000-8000-000000000000"


@pytest.fixture
def client(session):
    return make_client(session, consents=False)


def sign(session, client, purpose=Purpose.treatment, scope=THERAPIST, **more):
    return operations.sign(session, purpose, client, client.user, NOW, scope=scope, **more)


def count(session, table) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(table))


def test_a_signature_keeps_the_words_and_how_it_was_meant(session, client):
    document = make_document(session, Purpose.treatment)
    evidence = {"typed_name": "Sam Doe", "ticked": True}
    signature = sign(session, client, scope_label="Rosa Almeida", evidence=evidence)
    assert signature.document is document
    assert signature.signer is client.user
    assert signature.capacity == "self"
    assert signature.place == "US-WA"
    assert signature.evidence == evidence
    assert signature.signed_at == NOW


def test_a_text_that_is_not_published_cannot_be_signed(session, client):
    with pytest.raises(NothingPublished):
        sign(session, client)


def test_the_newest_version_is_signed(session, client):
    make_document(session, version=1)
    newest = make_document(session, version=2, body="Newer words.\n")
    assert sign(session, client).document is newest


def test_signing_the_same_words_twice_gives_the_signature_there_is(session, client):
    make_document(session)
    assert sign(session, client) is sign(session, client)
    assert count(session, Signature) == 1


def test_a_consent_holds_for_its_person_its_purpose_and_its_scope_alone(session, client):
    make_document(session, Purpose.treatment)
    make_document(session, Purpose.group)
    sign(session, client)
    assert has(Purpose.treatment, client, THERAPIST)
    assert not has(Purpose.treatment, client, OTHER)
    assert not has(Purpose.treatment, client)
    assert not has(Purpose.group, client, THERAPIST)
    assert not has(Purpose.treatment, make_client(session, consents=False), THERAPIST)


def test_the_clause_works_inside_a_query_over_clients(session, client):
    make_document(session)
    make_client(session, consents=False)
    sign(session, client)
    agreed = sa.select(Client.id).where(in_force(Purpose.treatment, Client.id, THERAPIST))
    assert list(session.scalars(agreed)) == [client.id]


def test_the_clause_works_inside_a_query_over_signatures(session, client):
    make_document(session)
    signature = sign(session, client)
    sign(session, client, scope=OTHER)
    make_revocation(session, session.scalars(sa.select(Signature).filter_by(scope=OTHER)).one())
    standing = sa.select(Signature.id).where(
        in_force(Purpose.treatment, Signature.client_id, Signature.scope)
    )
    assert list(session.scalars(standing)) == [signature.id]


def test_taking_back_ends_it_at_once_and_keeps_what_was_signed(session, client):
    make_document(session)
    signature = sign(session, client)
    revocation = operations.revoke(session, signature, client.user, NOW)
    assert not has(Purpose.treatment, client, THERAPIST)
    assert revocation.effect == PURPOSES[Purpose.treatment].effect
    assert revocation.revoked_by_id == client.user_id
    assert count(session, Signature) == 1


def test_taking_back_ends_the_earlier_versions_of_it_too(session, client):
    make_document(session, version=1)
    sign(session, client)
    make_document(session, version=2, body="Newer words.\n")
    operations.revoke(session, sign(session, client), client.user, NOW)
    assert not has(Purpose.treatment, client, THERAPIST)
    assert count(session, Revocation) == 2


def test_taking_back_one_leaves_the_same_with_another_in_force(session, client):
    make_document(session)
    sign(session, client, scope=OTHER)
    operations.revoke(session, sign(session, client), client.user, NOW)
    assert has(Purpose.treatment, client, OTHER)


def test_nothing_is_taken_back_twice(session, client):
    make_document(session)
    signature = sign(session, client)
    operations.revoke(session, signature, client.user, NOW)
    with pytest.raises(WrongState):
        operations.revoke(session, signature, client.user, NOW)


def test_it_can_be_given_again_after_it_was_taken_back(session, client):
    make_document(session)
    first = sign(session, client)
    operations.revoke(session, first, client.user, NOW)
    assert sign(session, client) is not first
    assert has(Purpose.treatment, client, THERAPIST)


def test_the_rooms_on_the_right_hear_of_it_inside_the_transaction(session, client):
    heard = []

    def hear(purpose, signature):
        heard.append((purpose, signature, signature.revocation.revoked_at))

    make_document(session)
    signature = sign(session, client)
    with consent_revoked.connected_to(hear):
        operations.revoke(session, signature, client.user, NOW)
    assert heard == [(Purpose.treatment, signature, NOW)]


def test_a_material_change_asks_again_and_does_not_end_what_was_agreed(session, client):
    make_document(session, version=1)
    sign(session, client)
    assert not needs_signing(Purpose.treatment, client, THERAPIST)
    make_document(session, version=2, body="Newer words.\n")
    assert needs_signing(Purpose.treatment, client, THERAPIST)
    assert has(Purpose.treatment, client, THERAPIST)


def test_a_small_change_does_not_ask_again(session, client):
    make_document(session, version=1)
    sign(session, client)
    make_document(session, version=2, body="A comma, moved.\n", material_change=False)
    assert not needs_signing(Purpose.treatment, client, THERAPIST)


def test_a_small_change_after_a_material_one_still_asks(session, client):
    make_document(session, version=1)
    sign(session, client)
    make_document(session, version=2, body="Newer words.\n")
    make_document(session, version=3, body="Newer words, tidied.\n", material_change=False)
    assert needs_signing(Purpose.treatment, client, THERAPIST)


def test_the_intake_begins_only_after_both_texts(session, client):
    assert not may_begin_intake(client)
    make_signature(session, client, Purpose.privacy_notice)
    assert not may_begin_intake(client)
    assessment = make_signature(session, client, Purpose.assessment)
    assert may_begin_intake(client)
    make_revocation(session, assessment)
    assert not may_begin_intake(client)


def test_the_list_says_which_signature_counts(session, client):
    make_document(session, version=1)
    sign(session, client)
    make_document(session, version=2, body="Newer words.\n")
    sign(session, client)
    make_document(session, version=3, body="Newest words.\n")
    newer, older = signed_consents(signatures_of(client))
    assert (newer.is_in_force, newer.is_asked_again) == (True, True)
    assert (older.is_in_force, older.is_asked_again) == (False, False)


def test_signing_and_taking_back_are_written_down_without_naming_with_whom(session, client):
    make_document(session)
    operations.revoke(session, sign(session, client), client.user, NOW)
    entries = session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [entry.action for entry in entries] == ["consent.signed", "consent.revoked"]
    assert all(THERAPIST not in str(entry.details) for entry in entries)


def test_the_texts_of_the_product_are_published_once(session):
    first = operations.ensure_documents(session, NOW)
    assert {document.purpose for document in first} == set(Purpose)
    assert operations.ensure_documents(session, NOW) == []
    assert count(session, ConsentDocument) == len(Purpose)


def test_the_hash_of_a_text_can_be_checked_by_anybody(session):
    operations.ensure_documents(session, NOW)
    document = current_document(Purpose.group)
    assert document.text_hash == hashlib.sha256(document.body.encode("utf-8")).hexdigest()


@pytest.mark.parametrize(
    ("purpose", "points"),
    [
        (Purpose.privacy_notice, ["paper", "six years", "do not sell", "who looked"]),
        (Purpose.assessment, ["not an emergency service", "911", "988", "skipped", "duty"]),
        (
            Purpose.treatment,
            ["licence", "Where you are", "connection breaks", "emergency service", "paper"],
        ),
        (
            Purpose.group,
            [
                "nobody can guarantee",
                "Nobody records",
                "private room",
                "outside the group",
                "may know some members from elsewhere",
            ],
        ),
    ],
)
def test_the_texts_say_what_they_must(session, purpose, points):
    operations.ensure_documents(session, NOW)
    body = current_document(purpose).body
    assert "template" in body
    for point in points:
        assert point.lower() in body.lower(), point


def test_publishing_adds_a_version_and_changes_none(session, client):
    old = make_document(session, version=1)
    new = operations.publish(
        session, Purpose.treatment, "Treatment", "New.\n", client.user, NOW, after_version=1
    )
    assert (old.version, old.body) == (1, "You agree to this.\n")
    assert new.version == 2
    assert current_document(Purpose.treatment) is new


def test_of_two_people_publishing_at_once_the_second_is_told(session, client):
    make_document(session, version=1)
    publish = (session, Purpose.treatment, "Treatment")
    operations.publish(*publish, "New.\n", client.user, NOW, after_version=1)
    with pytest.raises(WrongState):
        operations.publish(*publish, "Other.\n", client.user, NOW, after_version=1)


def test_the_same_words_are_not_published_again(session, client):
    old = make_document(session, version=1)
    with pytest.raises(operations.NothingChanged):
        operations.publish(session, Purpose.treatment, old.title, old.body, client.user, NOW)
