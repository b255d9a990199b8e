"""The signed copy of a consent: anybody can check it, and nobody can change a word of it."""

import html
import io
import random
import re

import pytest
import sqlalchemy as sa

from core import copies
from core.audit import AuditEntry
from core.blanking import blank
from core.canonical import canonical
from core.checking import check
from core.database import unit_of_work
from core.ledger import LedgerEntry
from core.signing import published_keys, rotate
from core.verifying import Broken, Unreadable, verify
from practice.consent.holding import differences_from_ledger
from practice.consent.models import Purpose
from practice.consent.operations import ensure_documents, publish, revoke, sign
from tests.builders.accounts import look_again, make_client, sign_in
from tests.builders.consent import make_signature
from tests.builders.ledger import behind_its_back, exported
from tests.conftest import NOW

SCOPE = "therapist:6f1c2f6e-3c67-4f0b-8f27-1f2b3c4d5e6f"
EVIDENCE = {"typed_name": "Sam Doe <3 & Söhne", "ticked": True, "words": "I agree"}


@pytest.fixture
def client(session, http):
    client = make_client(session, consents=False)
    ensure_documents(session, NOW)
    sign_in(http, client.user)
    return client


@pytest.fixture
def signature(session, client):
    with unit_of_work() as writing:
        return sign(
            writing,
            Purpose.treatment,
            client,
            client.user,
            NOW,
            SCOPE,
            "Rosa Almeida",
            evidence=EVIDENCE,
        )


def copy_at(http, signature):
    answer = http.get(f"/consents/{signature.public_id}/copy")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Disposition"].startswith("attachment")
    return answer.data


def checked(data, session, **options):
    keys = [bytes.fromhex(key.public) for key in published_keys(session)]
    return verify(io.BytesIO(data), keys, **options)


def test_a_copy_is_sealed_on_demand_and_holds_with_the_published_key(http, session, signature):
    assert session.scalar(sa.select(sa.func.count()).select_from(LedgerEntry)) == 0
    copy = copy_at(http, signature)
    look_again(session)
    result = checked(copy, session)
    assert result.is_key_given
    assert "exactly what was agreed to" in result.words
    page = copy.decode()
    for shown in ("Rosa Almeida", html.escape(EVIDENCE["typed_name"]), "1 December 2026, 18:00"):
        assert shown in page
    assert "Meeting by video" in page


def test_the_act_of_signing_fixes_text_version_and_how_it_was_signed(session, signature):
    act = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "consent.signed")).one()
    assert act.client_id == signature.client.public_id
    assert act.details["text_hash"] == signature.document.text_hash
    assert act.details["version"] == 1
    assert act.details["capacity"] == "self"
    assert re.fullmatch("[0-9a-f]{64}", act.details["evidence"])


def test_one_changed_word_in_the_text_fails(http, session, signature):
    copy = copy_at(http, signature)
    look_again(session)
    for before, after in (
        (b"You may read it.", b"You may not read it."),
        (b"Rosa Almeida", b"Rosa Almeira"),
        (b"Signed on 1 December 2026", b"Signed on 2 December 2026"),
    ):
        assert before in copy
        with pytest.raises(Broken, match="does not show exactly what its data says"):
            checked(copy.replace(before, after, 1), session)
        with pytest.raises(Broken, match=r"is not what was sealed|is not the text that was signed"):
            checked(made_again(copy, before.decode(), after.decode()), session)


def made_again(copy, before, after):
    """As somebody would who changes the data too and makes the page anew."""
    data = copies.read(copy)
    data["text"] = data["text"].replace(before, after)
    data["facts"]["scope_label"] = data["facts"]["scope_label"].replace(before, after)
    if before.startswith("Signed on"):
        data["facts"]["signed_at"] = "2026-12-02T18:00:00.000000Z"
    return copies.readable(data).encode()


def test_three_hundred_random_changes_of_a_copy_are_all_found(http, session, signature):
    copy = copy_at(http, signature)
    look_again(session)
    missed = []
    for seed in range(300):
        chance, changed = random.Random(seed), bytearray(copy)
        place = chance.randrange(len(changed))
        if seed % 3 == 0:
            changed[place] ^= 1 << chance.randrange(8)
        elif seed % 3 == 1:
            del changed[place : place + chance.randrange(1, 40)]
        else:
            changed[place:place] = chance.choice((b" ", b"\n", b"not ", b"&amp;", b"<b>x</b>"))
        try:
            checked(bytes(changed), session)
            missed.append(seed)
        except (Broken, Unreadable):
            pass
    assert missed == []


def test_a_copy_made_by_somebody_without_the_key_fails(http, session, signature):
    """Other acts, another checkpoint, a proof of another act: each is put together rightly."""
    copy = copies.read(copy_at(http, signature))
    with unit_of_work() as writing:
        other = make_client(writing, consents=False)
        another = sign(writing, Purpose.treatment, other, other.user, NOW, SCOPE, "Rosa Almeida")
    sign_in(http, another.client.user)
    theirs = copies.read(copy_at(http, another))
    look_again(session)
    for name in ("acts", "checkpoint", "facts"):
        mixed = copy | {name: theirs[name]}
        with pytest.raises(Broken):
            checked(copies.readable(mixed).encode(), session)


def test_the_bare_data_is_checked_as_well(http, session, signature):
    copy = copies.read(copy_at(http, signature))
    look_again(session)
    assert checked(copies.canonical(copy), session)
    copy["acts"][0]["proof"] = copy["acts"][0]["proof"][:-1]
    with pytest.raises(Broken, match="act 1 of the copy is not in the ledger"):
        checked(copies.canonical(copy), session)


@pytest.mark.parametrize("change", [{"acts": []}, {"acts": [{}]}, {"facts": {}}, {"text": 1}])
def test_a_page_whose_data_lacks_something_is_broken(http, session, signature, change):
    page = copy_at(http, signature).decode()
    data = re.search(r'<pre id="proof">([^<]*)</pre>', page)[1]
    bad = canonical(copies.read(page.encode()) | change).decode()
    with pytest.raises(Broken):
        checked(page.replace(data, html.escape(bad)).encode(), session)


def test_a_copy_shows_the_taking_back_and_proves_it(http, session, signature):
    with unit_of_work() as writing:
        revoke(writing, writing.merge(signature), signature.signer, NOW)
    copy = copy_at(http, signature)
    look_again(session)
    assert checked(copy, session)
    assert "Taken back on 1 December 2026" in copy.decode()
    assert [act["entry"]["action"] for act in copies.read(copy)["acts"]] == [
        "consent.signed",
        "consent.revoked",
    ]


def test_what_was_signed_before_the_ledger_is_taken_in_and_says_so(http, session, client):
    signature = make_signature(session, client, scope=SCOPE, scope_label="Rosa Almeida")
    session.commit()
    copy = copy_at(http, signature)
    again = copy_at(http, signature)
    look_again(session)
    assert checked(copy, session)
    assert copy == again
    assert "The clinic kept no ledger yet then" in copy.decode()


def test_an_old_copy_holds_with_the_keys_published_after_a_rotation(http, session, signature):
    copy = copy_at(http, signature)
    with unit_of_work() as writing:
        rotate(writing, NOW)
    look_again(session)
    assert checked(copy, session)
    newest = [bytes.fromhex(published_keys(session)[0].public)]
    with pytest.raises(Broken, match="does not vouch"):
        verify(io.BytesIO(copy), newest)


def test_a_signature_changed_in_the_database_gives_no_copy(http, session, signature):
    copy_at(http, signature)
    change = "UPDATE signatures SET place = 'US-OR' WHERE id = :id"
    behind_its_back(session, change, id=signature.id)
    answer = http.get(f"/consents/{signature.public_id}/copy")
    assert answer.status_code == 409
    assert "not what was sealed" in answer.text


def test_changed_texts_and_signatures_are_found_by_a_check(http, session, signature):
    copy_at(http, signature)
    look_again(session)
    assert check(session, None, differences_from_ledger(session)).findings == []
    behind_its_back(session, "UPDATE signatures SET place = 'US-OR'")
    behind_its_back(
        session,
        "UPDATE consent_documents SET body = REPLACE(body, 'may read', 'may not read') "
        "WHERE purpose = 'treatment'",
    )
    findings = check(session, None, differences_from_ledger(session)).findings
    assert f"signature {signature.public_id} is not what was sealed" in findings
    assert "the text of treatment version 1 was changed" in findings


def test_a_taking_back_that_was_undone_is_found(session, signature):
    with unit_of_work() as writing:
        revoke(writing, writing.merge(signature), signature.signer, NOW)
    from core.ledger import seal_now

    seal_now(NOW)
    behind_its_back(session, "DELETE FROM revocations")
    findings = check(session, None, differences_from_ledger(session)).findings
    said = f"signature {signature.public_id} was taken back, but its row does not say so"
    assert findings == [said]


def test_an_export_tells_which_text_was_signed_and_not_by_whom(http, session, signature):
    copy_at(http, signature)
    look_again(session)
    file = exported(session).decode()
    assert signature.document.text_hash in file
    for secret in (signature.public_id, signature.client.public_id, "Sam Doe", "Rosa Almeida"):
        assert str(secret) not in file


def test_after_an_erasure_nothing_of_the_signing_can_be_guessed(http, session, signature):
    copy_at(http, signature)
    with unit_of_work() as writing:
        blank(writing, [signature.client.public_id], at=NOW)
    look_again(session)
    act = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "consent.signed")).one()
    assert "evidence" not in act.details
    assert act.salt == ""
    assert check(session).findings == []


def test_a_new_text_is_announced_with_its_fingerprint(session, client):
    document = publish(session, Purpose.treatment, "Treatment", "New words.", None, NOW)
    act = session.scalars(
        sa.select(AuditEntry).where(AuditEntry.subject_id == document.public_id)
    ).one()
    assert act.details["text_hash"] == document.text_hash


def test_nobody_else_gets_the_copy(http, session, signature):
    stranger = make_client(session)
    sign_in(http, stranger.user)
    assert http.get(f"/consents/{signature.public_id}/copy").status_code == 404
