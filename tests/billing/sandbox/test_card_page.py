"""The page a payer meets: plain HTML, no script, and nowhere to type a real card."""

from datetime import timedelta

import pytest
import requests
from bs4 import BeautifulSoup

from tests.billing.sandbox.conftest import open_session

GOOD, DECLINED, NO_FUNDS = "4242424242424242", "4000000000000002", "4000000000009995"


@pytest.fixture
def page(client):
    return open_session(client).url


def soup_of(answer: requests.Response) -> BeautifulSoup:
    return BeautifulSoup(answer.text, "html.parser")


def test_the_page_says_what_is_paid_and_that_no_money_moves(page):
    answer = requests.get(page, timeout=10)
    soup = soup_of(answer)

    assert answer.status_code == 200
    assert [h1.get_text() for h1 in soup.find_all("h1")] == ["Pay $240"]
    assert "Test payments: no money moves." in soup.get_text()
    assert "Group programme" in soup.find("table").get_text()
    assert soup.find("a", string="Go back without paying")["href"] == "http://localhost:8000/left"
    assert {radio["value"] for radio in soup.find_all("input")} == {GOOD, DECLINED, NO_FUNDS}


def test_the_page_needs_no_script_and_takes_no_typed_number(page):
    answer = requests.get(page, timeout=10)
    soup = soup_of(answer)

    policy = answer.headers["Content-Security-Policy"]
    assert soup.find_all(["script", "style"]) == []
    assert soup.find_all(style=True) == []
    assert {field["type"] for field in soup.find_all("input")} == {"radio"}
    assert "form-action 'self' http://localhost:8000" in policy
    assert "no-store" in answer.headers["Cache-Control"]
    stylesheet = soup.find("link", rel="stylesheet")["href"]
    assert requests.get(requests.compat.urljoin(page, stylesheet), timeout=10).ok


def test_paying_leads_back_with_the_session_in_the_address(client, page, sandbox):
    answer = requests.post(page, {"card": GOOD}, allow_redirects=False, timeout=10)

    id_ = page.rpartition("/")[2]
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"http://localhost:8000/back?session={id_}"
    assert client.v1.checkout.sessions.retrieve(id_).payment_status == "paid"
    assert sandbox.events()[-1]["type"] == "checkout.session.completed"


@pytest.mark.parametrize(
    ("card", "said"),
    [(DECLINED, "The bank declined this card."), (NO_FUNDS, "not enough money on this card")],
)
def test_a_declined_card_is_said_beside_the_choice_and_can_be_changed(page, card, said):
    answer = requests.post(page, {"card": card}, timeout=10)
    soup = soup_of(answer)

    described = soup.find("fieldset")["aria-describedby"]
    assert answer.status_code == 402
    assert soup.title.get_text().startswith("Problem")
    assert said in soup.find(role="alert").get_text()
    assert said in soup.find(id=described).get_text()
    assert soup.find("input", checked=True)["value"] == card
    again = requests.post(page, {"card": GOOD}, allow_redirects=False, timeout=10)
    assert again.status_code == 303


@pytest.mark.parametrize("data", [{}, {"card": "4111111111111111"}])
def test_a_card_that_was_not_offered_is_neither_charged_nor_repeated(client, page, data):
    answer = requests.post(page, data, timeout=10)

    assert answer.status_code == 422
    assert "Please choose one of the test cards." in answer.text
    assert "4111" not in answer.text
    assert client.v1.charges.list().data == []


def test_paying_twice_charges_once(client, page):
    for _ in range(2):
        requests.post(page, {"card": GOOD}, allow_redirects=False, timeout=10)
    assert len(client.v1.charges.list().data) == 1
    soup = soup_of(requests.get(page, timeout=10))
    assert soup.h1.get_text() == "This is paid"
    assert soup.find("a", string="Go on")["href"].startswith("http://localhost:8000/back")


def test_a_page_that_has_run_out_leads_back_and_takes_nothing(client, page, sandbox):
    sandbox.advance(timedelta(hours=25))
    for answer in (requests.get(page, timeout=10), requests.post(page, {"card": GOOD}, timeout=10)):
        soup = soup_of(answer)
        assert answer.status_code == 410
        assert soup.h1.get_text() == "This page has run out"
        assert soup.find("a", string="Go back")["href"] == "http://localhost:8000/left"
    assert client.v1.charges.list().data == []


def test_an_unknown_page_is_not_found(address):
    answer = requests.get(f"{address}/pay/cs_test_none", timeout=10)
    assert answer.status_code == 404
    assert soup_of(answer).h1.get_text() == "There is no such payment"


def test_what_a_line_is_called_is_shown_as_text(client):
    name = "<script>alert(1)</script>"
    data = {"currency": "usd", "unit_amount": 500, "product_data": {"name": name}}
    session = open_session(client, line_items=[{"price_data": data, "quantity": 1}])
    soup = soup_of(requests.get(session.url, timeout=10))
    assert soup.find("script") is None
    assert name in soup.find("table").get_text()
