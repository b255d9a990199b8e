"""Nobody opens what does not say who may open it."""

import pytest
from flask import Flask, current_app

from core.access import MissingPolicy, Verdict, anyone, install_access, policy, policy_of


@pytest.fixture
def house():
    """A small application with one door for each verdict, and one without a policy."""
    house = Flask(__name__)
    house.config.update(TESTING=True, SECRET_KEY="a secret for tests")
    for name, verdict in (("open", Verdict.allow), ("private", Verdict.sign_in)):
        add_door(house, name, lambda verdict=verdict: verdict)
    add_door(house, "hidden", lambda: Verdict.not_found)
    house.add_url_rule("/forgotten", "forgotten", entered, methods=["GET", "POST"])
    install_access(house, lambda: "/sign-in")
    return house


def add_door(house, name, rule):
    @policy(rule)
    def view():
        return entered()

    house.add_url_rule(f"/{name}", name, view, methods=["GET", "POST"])


@pytest.fixture
def entries(house):
    """Grows by one for each view that ran."""
    house.extensions["entries"] = []
    return house.extensions["entries"]


def entered():
    current_app.extensions["entries"].append(1)
    return "inside"


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS"])
@pytest.mark.parametrize(
    ("door", "status"), [("open", 200), ("private", 303), ("hidden", 404), ("nowhere", 404)]
)
def test_each_verdict_has_its_answer_whatever_the_method(house, entries, door, status, method):
    answer = house.test_client().open(f"/{door}", method=method)
    assert answer.status_code == status
    assert bool(entries) == (door == "open" and method != "OPTIONS")
    if status == 303:
        assert answer.location == "/sign-in"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_door_without_a_policy_is_a_mistake_and_stays_closed(house, entries, method):
    with pytest.raises(MissingPolicy, match="forgotten"):
        house.test_client().open("/forgotten", method=method)
    assert entries == []


def test_what_is_hidden_answers_like_what_is_not_there(house):
    browser = house.test_client()
    hidden, nowhere = browser.get("/hidden"), browser.get("/nowhere")
    assert (hidden.data, list(hidden.headers)) == (nowhere.data, list(nowhere.headers))


def test_the_policy_of_a_view_can_be_asked(house):
    assert policy_of(house, "static") is anyone
    assert policy_of(house, "forgotten") is None
