"""Pages of a client's search: who fits and why, why not, and asking one of them."""

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from core.access import policy
from core.clock import now
from core.database import db, unit_of_work
from core.errors import NotFound, Refusal
from practice.accounts.policy import is_client, the_client
from practice.forms import EmptyForm
from practice.matches import operations, page, queries, request_views
from practice.matches.blueprint import bp
from practice.matches.cards import card_of, cards_of
from practice.matches.finding import MOST_FOUND, Found, WhyNotAnswer, named, why_not_answer
from practice.matches.forms import AskForm, PlaceForm
from practice.matches.kept import ShownAs
from practice.matches.memory import keep_shown
from practice.matches.models import ProposalKind
from practice.matches.obstacles import obstacles, should_see_a_person
from practice.matches.reach import views as reach_views
from practice.matches.reasons import ReasonWords
from practice.matches.reviews import views as review_views
from practice.matches.search import MOST_SHOWN, SHOWN, Offers, Search, Verdict
from practice.matches.sharing import shareable
from practice.matches.what_if import views as what_if_views
from practice.places import place
from practice.therapists.models import Therapist

__all__ = ["bp", "reach_views", "request_views", "review_views", "what_if_views"]

# Of the rules that no client can waive, those that rest on a fact which the profile prints.
ALWAYS_REFUSED = frozenset({"licence", "capacity", "service"})


@bp.get("/matches")
@policy(is_client)
@page.after_intake
def index() -> page.Answer:
    """Who fits best, with reasons; or why nobody does, and what can be done."""
    search = page.search()
    offers = search.offers(_limit())
    if not offers.results:
        return _nobody(search, offers)
    number = _keep_proposal(search, offers)
    return render_template(
        "matches/index.html",
        number=number,
        cards=cards_of(search, offers, page.currency()),
        licensed=offers.licensed,
        here=place(search.values.place).name,
        standing=page.standing(),
        next_limit=_limit() + SHOWN if offers.has_more and _limit() < MOST_SHOWN else None,
        form=EmptyForm(),
    )


@bp.post("/matches/place")
@policy(is_client)
def set_place() -> page.Answer:
    form = PlaceForm()
    if not form.validate():
        return render_template("matches/place.html", form=form), 422
    with unit_of_work() as session:
        client = the_client()
        operations.set_place(session, client, form.place.data, current_user.user, now())
    return redirect(url_for("matches.index"), 303)


@bp.post("/matches/alert")
@policy(is_client)
@page.after_intake
def alert() -> page.Answer:
    """Leave a message to be told once when somebody can be offered."""
    with unit_of_work() as session:
        operations.ask_to_be_told(session, the_client(), now())
    flash("We will write to you once somebody can be offered.", "leaf")
    return redirect(url_for("matches.index"), 303)


@bp.get("/matches/why-not")
@policy(is_client)
@page.after_intake
def why_not() -> page.Answer:
    """Why somebody is not among the matches, told only from what their profile prints."""
    name = request.args.get("name", "").replace("\0", "").strip()
    found = named(name, _uuid_from("therapist"), now())
    chosen = found[0] if len(found) == 1 else None
    answer, number = _told_of(chosen) if chosen else (None, None)
    return render_template(
        "matches/why_not.html",
        name=name,
        several=found[:MOST_FOUND] if len(found) > 1 else [],
        has_more=len(found) > MOST_FOUND,
        answer=answer,
        number=number,
        asked=bool(name or request.args.get("therapist")),
    )


@bp.get("/therapists/<uuid:therapist>/request")
@policy(is_client)
@page.after_intake
def ask(therapist: uuid.UUID) -> page.Answer:
    """Choose what to share with one therapist before asking them."""
    waiting = _waiting_request()
    if waiting is not None:
        return waiting
    return _ask_page(therapist, _ask_form())


@bp.post("/therapists/<uuid:therapist>/request")
@policy(is_client)
@page.after_intake
def send(therapist: uuid.UUID) -> page.Answer:
    form = _ask_form()
    if not form.validate():
        return _ask_page(therapist, form), 422
    try:
        with unit_of_work() as session:
            asked = operations.ask(
                session,
                the_client(),
                _therapist(therapist),
                share=form.ticked,
                name=form.name.data or "",
                actor=current_user.user,
                at=now(),
            )
    except operations.AlreadyAsking as refusal:
        return _waiting_request() or _refused(refusal)
    except Refusal as refusal:
        return _cannot_ask(therapist, form) or _refused(refusal)
    flash("Your request is on its way.", "leaf")
    return redirect(url_for("matches.request_page", match_request=asked.public_id), 303)


def _nobody(search: Search, offers: Offers) -> str:
    """Out of everybody's scope leads to a person to call; anything else to what can be changed."""
    reading = page.danger_words(search)
    here = place(search.values.place).name
    if search.is_beyond_every_scope():
        return render_template("matches/step_up.html", reading=reading or "", here=here)
    return render_template(
        "matches/nobody.html",
        reading=reading,
        here=here,
        licensed=offers.licensed,
        obstacles=obstacles(search),
        person_first=should_see_a_person(search.values),
        standing=page.standing(),
        will_be_told=queries.wants_to_be_told(the_client()),
        form=EmptyForm(),
    )


def _cannot_ask(therapist: uuid.UUID, form: AskForm) -> page.Answer | None:
    """With what was chosen; None for somebody of whom no page shows anything any more."""
    if page.search().verdict(str(therapist)) is None:
        return None
    return _ask_page(therapist, form, is_refused=True), 409


def _ask_page(therapist: uuid.UUID, form: AskForm, *, is_refused: bool = False) -> str:
    """The form; or what always refuses, as far as the profile prints it, and the ways on."""
    search = page.search()
    verdict = search.verdict(str(therapist))
    if verdict is None:
        raise NotFound
    profile = search.profiles([str(therapist)])[str(therapist)]
    words, failures = ReasonWords(profile, search.values, page.currency()), verdict.why.failures
    in_the_way = words.public(one for one in failures if one.rule in ALWAYS_REFUSED)
    return render_template(
        "matches/cannot_ask.html" if in_the_way or is_refused else "matches/ask.html",
        card=card_of(search.values, verdict.explanation, profile, page.currency()),
        form=form,
        items=shareable(page.answers()),
        here=place(search.values.place).name,
        reasons=words.public(failures),
        in_the_way=in_the_way,
    )


def _ask_form() -> AskForm:
    form = AskForm(name=the_client().preferred_name)
    form.offer(shareable(page.answers()))
    return form


def _waiting_request() -> Response | None:
    """To the request that is out already, if there is one."""
    latest = next(iter(queries.history_of(the_client())), None)
    if latest is None or not latest.is_waiting or latest.is_overdue(now()):
        return None
    flash("You have a request out. You can ask one person at a time.", "sun")
    return redirect(url_for("matches.request_page", match_request=latest.public_id), 303)


def _refused(refusal: Refusal) -> Response:
    flash(refusal.message, "sun")
    return redirect(url_for("matches.index"), 303)


def _keep_proposal(search: Search, offers: Offers) -> uuid.UUID | None:
    shown, weights, prices = offers.therapists, offers.weights, offers.prices
    return keep_shown(the_client(), search.values, shown, weights, now(), prices)


def _told_of(found: Found) -> tuple[WhyNotAnswer, uuid.UUID | None]:
    """The answer, and the number under which the sum is kept if one is told."""
    search = page.search()
    answer = why_not_answer(search, found, page.currency())
    return answer, _keep_told(search, answer.verdict) if answer.verdict else None


def _keep_told(search: Search, verdict: Verdict) -> uuid.UUID | None:
    told, (weights, prices) = verdict.told_of, (verdict.weights, verdict.prices)
    shown_as = ShownAs(ProposalKind.why_not, verdict.why.place)
    return keep_shown(the_client(), search.values, told, weights, now(), prices, shown_as)


def _therapist(public_id: uuid.UUID) -> Therapist:
    found = db.session.query(Therapist).filter_by(public_id=public_id).first()
    if found is None:
        raise NotFound
    return found


def _limit() -> int:
    return min(max(request.args.get("limit", SHOWN, type=int), SHOWN), MOST_SHOWN)


def _uuid_from(name: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(request.args.get(name, ""))
    except ValueError:
        return None
