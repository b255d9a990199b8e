import re

import pytest
import sqlalchemy as sa

from practice.accounts.models import Role
from practice.consent.models import Purpose, Signature
from practice.consent.operations import ensure_documents
from practice.consent.policy import has, may_begin_intake
from practice.consent.rendering import rendered
from tests.builders.accounts import look_again, make_client, make_user, sign_in
from tests.builders.consent import make_document, make_revocation, make_signature
from tests.conftest import NOW

SIGNED = {"agreed": "y", "read_privacy": "y", "typed_name": "Sam Doe"}
SCOPE = "therapist:6f1c2f6e-3c67-4f0b-8f27-1f2b3c4d5e6f"
BEGIN = "/consents/before-you-begin"


@pytest.fixture
def client(session, http):
    client = make_client(session, consents=False)
    ensure_documents(session, NOW)
    sign_in(http, client.user)
    return client


@pytest.fixture
def signature(session, client):
    signature = make_signature(session, client, scope=SCOPE, scope_label="Rosa Almeida")
    session.commit()
    return signature


def signatures(session) -> int:
    look_again(session)
    return session.scalar(sa.select(sa.func.count()).select_from(Signature))


def test_both_texts_are_signed_on_one_page_and_then_the_questions_begin(http, session, client):
    page = http.get(BEGIN).text
    assert "What we keep about you" in page
    assert "if we are worried" in page
    answer = http.post(BEGIN, data=SIGNED)
    assert (answer.status_code, answer.location) == (303, "/intake")
    look_again(session)
    assert may_begin_intake(client)
    evidence = session.scalars(sa.select(Signature)).first().evidence
    assert evidence["typed_name"] == "Sam Doe"
    assert evidence["ticked"] is True


@pytest.mark.parametrize("missing", SIGNED)
def test_nothing_is_signed_by_half(http, session, client, missing):
    answer = http.post(BEGIN, data={k: v for k, v in SIGNED.items() if k != missing})
    assert answer.status_code == 422
    assert "Please" in answer.text
    assert signatures(session) == 0


def test_a_double_click_signs_once(http, session, client):
    http.post(BEGIN, data=SIGNED)
    http.post(BEGIN, data=SIGNED)
    assert signatures(session) == 2


def test_the_list_shows_with_whom_which_version_and_how_it_stands(http, signature):
    page = http.get("/consents").text
    assert "Treatment: Rosa Almeida" in page
    assert "version 1" in page
    assert "in force" in page


def test_an_empty_list_says_what_to_do_next(http, client):
    page = http.get("/consents").text
    assert "You have not agreed to anything yet" in page
    assert BEGIN in page


def test_taking_back_says_what_stops_and_what_stays_before_it_happens(http, session, signature):
    address = f"/consents/{signature.public_id}/revocation"
    page = http.get(address).text
    assert "meetings still ahead are cancelled" in page
    assert "must be kept for the years" in page
    look_again(session)
    assert has(Purpose.treatment, signature.client, SCOPE)
    assert http.post(address).status_code == 303
    look_again(session)
    assert not has(Purpose.treatment, signature.client, SCOPE)
    after = http.get(f"/consents/{signature.public_id}").text
    assert "You took this back on 1 December 2026" in after
    assert "taken back" in http.get("/consents").text


def test_the_copy_is_a_file_that_holds_everything(http, signature):
    answer = http.get(f"/consents/{signature.public_id}/copy")
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert "Rosa" not in answer.headers["Content-Disposition"]
    text = answer.text
    assert signature.document.text_hash in text
    assert "Sam Doe" in text
    assert "Rosa Almeida" in text
    assert "<link" not in text
    assert "src=" not in text


@pytest.mark.parametrize("page", ["", "/copy", "/revocation", "/renewal"])
def test_somebody_elses_signature_is_not_found(http, app, session, signature, page):
    other = app.test_client()
    sign_in(other, make_client(session, consents=False).user)
    assert other.get(f"/consents/{signature.public_id}{page}").status_code == 404


def test_somebody_elses_signature_is_not_taken_back(http, app, session, signature):
    other = app.test_client()
    sign_in(other, make_client(session, consents=False).user)
    assert other.post(f"/consents/{signature.public_id}/revocation").status_code == 404
    look_again(session)
    assert has(Purpose.treatment, signature.client, SCOPE)


@pytest.mark.parametrize("role", [Role.administrator, Role.therapist, Role.duty_clinician])
def test_no_colleague_opens_a_clients_consents(app, session, signature, role):
    colleague = app.test_client()
    sign_in(colleague, make_user(session, roles=[role]))
    assert colleague.get("/consents").status_code == 404
    assert colleague.get(f"/consents/{signature.public_id}").status_code == 404


def test_a_changed_text_is_read_and_agreed_to_again(http, session, signature):
    make_document(session, version=2, body="Newer words.\n")
    session.commit()
    address = f"/consents/{signature.public_id}/renewal"
    assert address in http.get("/consents").text
    assert "Newer words." in http.get(address).text
    assert http.post(address, data=SIGNED).status_code == 303
    look_again(session)
    newest = session.scalars(sa.select(Signature).order_by(Signature.id.desc())).first()
    assert (newest.document.version, newest.scope) == (2, SCOPE)
    assert newest.scope_label == "Rosa Almeida"


def test_what_was_taken_back_is_not_revived_by_a_renewal(http, session, signature):
    make_revocation(session, signature)
    session.commit()
    answer = http.post(f"/consents/{signature.public_id}/renewal", data=SIGNED)
    assert answer.status_code == 409
    assert signatures(session) == 1


def test_documents_and_the_privacy_notice_are_public(app, session, client):
    visitor = app.test_client()
    document = make_document(session, version=2, body="## A heading\n\nNewer words.\n")
    session.commit()
    page = visitor.get(f"/documents/{document.public_id}")
    assert "<h2>A heading</h2>" in page.text
    assert document.text_hash in page.text
    assert "What we keep" in visitor.get("/privacy").text


def test_before_anything_is_published_the_privacy_page_shows_the_text_of_the_product(http):
    assert "What we keep" in http.get("/privacy").text


def test_the_list_costs_the_same_number_of_queries_however_long_it_is(
    http, session, client, count_queries
):
    make_signature(session, client, scope=SCOPE)
    session.commit()
    assert http.get("/consents").status_code == 200
    few = count_queries(lambda: http.get("/consents"))
    for n in range(12):
        make_revocation(session, make_signature(session, client, scope=f"therapist:{n}"))
    session.commit()
    assert count_queries(lambda: http.get("/consents")) == few


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[tap](javascript:alert(1))",
        "[tap](data:text/html;base64,AAAA)",
        "![pixel](https://evil.example/p.png)",
        "<a href='https://x' onclick='y'>z</a>",
    ],
)
def test_nothing_that_runs_or_calls_home_comes_out_of_a_text(attack):
    html = rendered(attack)
    assert "<script" not in html
    assert "<img" not in html
    assert 'href="javascript' not in html
    assert 'href="data' not in html
    assert "<a" not in html or "onclick" not in html


def test_words_published_while_the_page_was_open_are_read_before_they_are_signed(
    http, session, client
):
    shown = re.findall(r'name="shown" value="([^"]+)"', http.get(BEGIN).text)
    assert len(shown) == 2
    make_document(session, Purpose.assessment, version=2)
    session.commit()
    answer = http.post(BEGIN, data=SIGNED | {"shown": shown})
    assert answer.status_code == 422
    assert "have changed since you opened the page" in answer.text
    assert "Sam Doe" in answer.text
    assert signatures(session) == 0
    again = re.findall(r'name="shown" value="([^"]+)"', answer.text)
    assert http.post(BEGIN, data=SIGNED | {"shown": again}).status_code == 303
    assert signatures(session) == 2


def test_a_second_click_on_taking_back_leads_to_the_same_page(http, signature):
    address = f"/consents/{signature.public_id}/revocation"
    first, second = http.post(address), http.post(address)
    assert (second.status_code, second.location) == (303, first.location)
