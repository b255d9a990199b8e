"""Pages of the intake: one question at a time, each answer kept as it is given."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from core.access import policy
from core.clock import now
from core.database import unit_of_work
from core.errors import NotFound
from practice.accounts.policy import is_client, the_client
from practice.consent.policy import may_begin_intake
from practice.intake import operations, queries
from practice.intake.answers import first_open_page, open_pages, page_after, page_before
from practice.intake.blueprint import bp
from practice.intake.flags import views as flag_views
from practice.intake.forms import PageForm, form_for
from practice.intake.pages import BY_KEY, PAGES, Page
from practice.intake.presenting import (
    Progress,
    check_parts,
    crisis_words,
    extras_of,
    fields_of,
    promise_standing,
    results_of,
)

__all__ = ["bp", "flag_views"]

Answer = str | Response | tuple[str, int]


def after_consent(view: Callable[..., Answer]) -> Callable[..., Answer]:
    """No health question before the privacy notice and the agreement to assessment."""

    @wraps(view)
    def guarded(**values: Any) -> Answer:
        if may_begin_intake(the_client()):
            return view(**values)
        return redirect(url_for("consent.begin"), 303)

    return guarded


@bp.get("/intake")
@policy(is_client)
@after_consent
def index() -> Answer:
    """Begin, resume where it was left, or say what there is already."""
    client = the_client()
    intake = queries.open_intake(client)
    earlier = queries.latest_submitted(client)
    if intake is None and earlier is not None:
        return render_template("intake/again.html", earlier=earlier)
    page = first_open_page(queries.answers_of(intake))
    return redirect(_address(page), 303)


@bp.post("/intake")
@policy(is_client)
@after_consent
def change() -> Answer:
    """Take up the answers again, starting from the last ones."""
    with unit_of_work() as session:
        operations.begin(session, the_client(), now())
    return redirect(url_for("intake.check"), 303)


@bp.get("/intake/<string:page>")
@policy(is_client)
@after_consent
def question(page: str) -> Answer:
    asked = _page(page)
    return _question_page(asked, _form(asked))


@bp.post("/intake/<string:page>")
@policy(is_client)
@after_consent
def save(page: str) -> Answer:
    asked = _page(page)
    if request.form.get("action") == "skip":
        return _keep(asked, None)
    form = _form(asked)
    if form.validate():
        return _keep(asked, form.answer())
    if _is_leaving() and form.is_empty:
        return _leave()
    return _question_page(asked, form), 422


def _keep(asked: Page, value: Any) -> Response:
    with unit_of_work() as session:
        intake = operations.give(session, the_client(), asked.key, value, now())
    if intake is None:
        return redirect(url_for("intake.young"), 303)
    return _leave() if _is_leaving() else redirect(_next_address(asked), 303)


def _is_leaving() -> bool:
    return request.form.get("action") == "leave"


def _leave() -> Response:
    flash("Your answers so far are kept. You can go on whenever you like.", "leaf")
    return redirect(url_for("today.today"), 303)


def _next_address(asked: Page) -> str:
    """The next question; back to the list of answers for those who came from there."""
    answers = queries.answers_of(queries.open_intake(the_client()))
    following = page_after(asked, answers)
    if not _from_check():
        return _address(following)
    if asked.key == "concerns" and following is BY_KEY["concern-weights"]:
        return url_for("intake.question", page=following.key, back="check")
    return url_for("intake.check")


def _from_check() -> bool:
    return request.args.get("back") == "check"


def _address(page: Page | None) -> str:
    return url_for("intake.question", page=page.key) if page else url_for("intake.check")


def _form(asked: Page) -> PageForm:
    client = the_client()
    return form_for(asked, queries.answers_to_show(client, now()), client.zone)


def _page(key: str) -> Page:
    if key not in BY_KEY:
        raise NotFound
    return BY_KEY[key]


def _question_page(asked: Page, form: PageForm) -> str:
    intake = queries.open_intake(the_client())
    answers = queries.answers_to_show(the_client(), now())
    return render_template(
        "intake/question.html",
        page=asked,
        fields=fields_of(asked),
        form=form,
        progress=Progress(asked, answers),
        back=_back_address(page_before(asked, answers)),
        from_check=_from_check(),
        crisis_reading=crisis_words(intake, now()),
        **extras_of(asked, form),
    )


def _back_address(page: Page | None) -> str:
    if _from_check():
        return url_for("intake.check")
    return _address(page) if page else url_for("today.today")


@bp.get("/intake/check")
@policy(is_client)
@after_consent
def check() -> Answer:
    intake = queries.open_intake(the_client())
    if intake is None:
        return redirect(url_for("intake.index"), 303)
    answers = queries.answers_of(intake)
    return render_template(
        "intake/check.html",
        parts=check_parts(answers),
        still_open=open_pages(answers),
        last=PAGES[-1],
        crisis_reading=crisis_words(intake, now()),
    )


@bp.post("/intake/submission")
@policy(is_client)
@after_consent
def submit() -> Answer:
    with unit_of_work() as session:
        operations.submit(session, the_client(), now())
    return redirect(url_for("intake.result"), 303)


@bp.get("/intake/result")
@policy(is_client)
def result() -> Answer:
    """What the last submitted answers add up to, in words and with their limits."""
    intake = queries.latest_submitted(the_client())
    if intake is None:
        return redirect(url_for("intake.index"), 303)
    return render_template(
        "intake/result.html",
        intake=intake,
        results=results_of(queries.latest_assessments([intake.client_id])[intake.client_id]),
        has_place=bool(queries.answers_of(intake).get("place")),
        crisis_reading=crisis_words(intake, now(), lasting=True),
    )


@bp.get("/intake/young-people")
@policy(is_client)
def young() -> Answer:
    """Said to somebody whose year of birth makes them younger than 18."""
    client = the_client()
    flag = queries.open_flag_of(client)
    return render_template(
        "intake/young.html",
        flag=flag,
        reading=promise_standing(flag, now()) if flag else "",
        earlier=queries.latest_submitted(client),
    )
