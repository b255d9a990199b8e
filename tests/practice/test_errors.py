"""An error becomes one kind page that never tells what it was about."""

import errno
import json
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import render_template

from core.access import policy
from core.database import unit_of_work
from core.errors import ERROR_PAGES, ErrorPage, NotAllowed, NotFound, Refusal, WrongState
from practice.accounts.models import SignInAttempt
from tests.builders.accounts import make_client, sign_in
from tests.builders.faults import SAID_BY_THE_SERVER, database_away

CANARY = "canary in the story"


@contextmanager
def failing_with(app, error, endpoint="today.crisis"):
    view = app.view_functions[endpoint]

    def fails(**_arguments):
        raise error

    app.view_functions[endpoint] = policy(view.policy)(fails)
    try:
        yield
    finally:
        app.view_functions[endpoint] = view


def heading(answer):
    [only] = BeautifulSoup(answer.text, "html.parser").find_all("h1")
    return only.get_text()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError(CANARY), 500),
        (NotFound(CANARY), 404),
        (NotAllowed(CANARY), 403),
        (KeyError(CANARY), 500),
    ],
)
def test_the_page_of_an_error_does_not_tell_what_it_was_about(app, http, caplog, error, status):
    with failing_with(app, error):
        answer = http.get("/crisis")
    assert answer.status_code == status
    assert heading(answer) == ERROR_PAGES[status].heading
    assert CANARY not in answer.text + caplog.text
    assert "988" in answer.text


def test_a_page_that_breaks_while_it_is_written_still_becomes_a_kind_one(
    app, http, caplog, monkeypatch
):
    def fails():
        page = ErrorPage(status="no number", heading="", text="")
        return render_template("errors/error.html", page=page)

    view = app.view_functions["today.crisis"]
    monkeypatch.setitem(app.view_functions, "today.crisis", policy(view.policy)(fails))
    answer = http.get("/crisis")
    assert answer.status_code == 500
    assert heading(answer) == ERROR_PAGES[500].heading
    assert '"where": "templates/errors/error.html:' in caplog.text


def test_a_refusal_that_no_view_expected_says_its_own_kind_words(app, http):
    with failing_with(app, WrongState()):
        answer = http.get("/crisis")
    assert answer.status_code == 409
    assert Refusal.message not in answer.text
    assert WrongState.message in answer.text


def test_an_unexpected_error_is_logged_by_class_and_place(app, http, caplog):
    caplog.set_level("INFO", "attune")
    with failing_with(app, ValueError(CANARY)):
        http.get("/crisis")
    assert '"error": "ValueError"' in caplog.text
    assert "tests/practice/test_errors.py" in caplog.text


@pytest.mark.parametrize("address", ["/", "/today", "/nowhere", "/crisis"])
def test_when_the_database_is_away_a_page_says_so_and_still_names_help(
    app, http, session, caplog, address
):
    sign_in(http, make_client(session).user)
    with database_away(app):
        answer = http.get(address)
    assert answer.status_code == 503
    assert "988" in answer.text
    assert heading(answer)
    assert SAID_BY_THE_SERVER not in answer.text + caplog.text


def test_a_page_without_the_database_says_when_to_try_again_and_keeps_its_headers(app, http):
    with database_away(app):
        answer = http.get("/therapists")
    assert answer.headers["Retry-After"] == "60"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Traceback" not in answer.text


def test_a_full_disk_is_said_like_a_database_that_is_away(app, http):
    with failing_with(app, OSError(errno.ENOSPC, CANARY)):
        answer = http.get("/crisis")
    assert answer.status_code == 503
    assert CANARY not in answer.text


def test_the_page_of_an_error_gives_the_reference_under_which_it_is_logged(app, http, caplog):
    caplog.set_level("INFO", "attune")
    with failing_with(app, ValueError(CANARY)):
        answer = http.get("/crisis")
    reference = answer.headers["X-Request-Id"]
    assert f"give this reference: {reference}" in " ".join(
        BeautifulSoup(answer.text, "html.parser").get_text().split()
    )
    lines = [json.loads(record.getMessage()) for record in caplog.records]
    assert {line["request"] for line in lines} == {reference}
    assert {line["event"] for line in lines} == {"request.failed", "request.answered"}


def test_an_error_after_the_view_is_logged_without_its_words_too(app, http, caplog):
    left = [ValueError(CANARY)]

    def fails(response):
        if left:
            raise left.pop()
        return response

    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.after_request_funcs[None].append(fails)
    try:
        answer = http.get("/crisis?canary=canary")
    finally:
        app.after_request_funcs[None].remove(fails)
        app.config["PROPAGATE_EXCEPTIONS"] = True
    assert answer.status_code == 500
    assert '"error": "ValueError"' in caplog.text
    assert "canary" not in caplog.text


def test_a_statement_that_fails_is_never_told_with_its_values(session):
    counted = sa.update(SignInAttempt).where(SignInAttempt.counted == CANARY)
    with pytest.raises(sa.exc.StatementError) as error, unit_of_work() as work:
        work.execute(counted.values(id=sa.func.nonsense()))
    assert CANARY not in str(error.value)


def test_a_form_without_its_token_is_asked_for_again(app):
    answer = app.test_client().post("/sign-in", data={"email": "sam@example.test"})
    assert answer.status_code == 400
    assert heading(answer) == "This page was open for too long"
    assert "sam@example.test" not in answer.text


def test_a_method_that_a_page_does_not_have_is_one_of_ours(http):
    answer = http.delete("/crisis")
    assert answer.status_code == 405
    assert heading(answer) == ERROR_PAGES[405].heading


def test_more_than_anyone_types_is_refused_kindly(http):
    answer = http.post("/sign-in", data={"email": "a" * (3 * 1024 * 1024)})
    assert answer.status_code == 413
    assert heading(answer) == ERROR_PAGES[413].heading
