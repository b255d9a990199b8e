"""Pages of a client's search: who fits and why, why not, and asking one of them."""

import uuid
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar

from flask import flash, g, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

import matching
from core.access import policy
from core.clock import now
from core.config import current_settings
from core.database import db, unit_of_work
from core.errors import NotFound, Refusal
from practice.accounts.models import Client
from practice.accounts.policy import is_client, the_client
from practice.forms import EmptyForm
from practice.intake.duty import promise
from practice.intake.models import Intake
from practice.intake.queries import answers_of
from practice.matches import operations, queries, request_views
from practice.matches.blueprint import bp
from practice.matches.cards import card_of, cards_of
from practice.matches.finding import named, why_not_answer
from practice.matches.forms import AskForm, PlaceForm
from practice.matches.memory import kept_before
from practice.matches.models import MatchRequest
from practice.matches.obstacles import obstacles
from practice.matches.reasons import ReasonWords
from practice.matches.search import MOST_SHOWN, SHOWN, Search, search_for
from practice.matches.sharing import shareable
from practice.matches.standing import Standing, standing_of
from practice.places import place
from practice.therapists.models import Therapist

__all__ = ["bp", "request_views"]

Answer = str | Response | tuple[str, int]
Found = TypeVar("Found")


def after_intake(view: Callable[..., Answer]) -> Callable[..., Answer]:
    """First the privacy notice, then the questions, then a place; each is asked for kindly."""

    @wraps(view)
    def guarded(**values: Any) -> Answer:
        if not _footing().has_notice:
            return redirect(url_for("consent.begin"), 303)
        if _intake() is None:
            return render_template("matches/begin.html")
        if not the_client().place:
            return render_template("matches/place.html", form=PlaceForm())
        return view(**values)

    return guarded


@bp.get("/matches")
@policy(is_client)
@after_intake
def index() -> Answer:
    """Who fits best, with reasons; or why nobody does, and what can be done."""
    search = _search()
    ranking = search.ranking(_limit())
    if not ranking.results:
        return _nobody(search)
    _keep_proposal(search, ranking)
    return render_template(
        "matches/index.html",
        cards=cards_of(search, ranking, _currency()),
        licensed=len(search.licensed_with_room),
        here=place(search.values.place).name,
        standing=_standing(),
        next_limit=_limit() + SHOWN if _may_show_more(search, ranking) else None,
        form=EmptyForm(),
    )


@bp.post("/matches/place")
@policy(is_client)
def set_place() -> Answer:
    form = PlaceForm()
    if not form.validate():
        return render_template("matches/place.html", form=form), 422
    with unit_of_work() as session:
        client = the_client()
        operations.set_place(session, client, form.place.data, current_user.user, now())
    return redirect(url_for("matches.index"), 303)


@bp.post("/matches/alert")
@policy(is_client)
@after_intake
def alert() -> Answer:
    """Leave a message to be told once when somebody can be offered."""
    with unit_of_work() as session:
        operations.ask_to_be_told(session, the_client(), now())
    flash("We will write to you once somebody can be offered.", "leaf")
    return redirect(url_for("matches.index"), 303)


@bp.get("/matches/why-not")
@policy(is_client)
@after_intake
def why_not() -> Answer:
    """Why somebody is not among the matches, told only from what their profile prints."""
    name = request.args.get("name", "").replace("\0", "").strip()
    found = named(name, _uuid_from("therapist"), now())
    chosen = found[0] if len(found) == 1 else None
    return render_template(
        "matches/why_not.html",
        name=name,
        several=found if len(found) > 1 else [],
        answer=why_not_answer(_search(), chosen, _currency()) if chosen else None,
        asked=bool(name or request.args.get("therapist")),
    )


@bp.get("/therapists/<uuid:therapist>/request")
@policy(is_client)
@after_intake
def ask(therapist: uuid.UUID) -> Answer:
    """Choose what to share with one therapist before asking them."""
    waiting = _waiting_request()
    if waiting is not None:
        return waiting
    return _ask_page(therapist, _ask_form())


@bp.post("/therapists/<uuid:therapist>/request")
@policy(is_client)
@after_intake
def send(therapist: uuid.UUID) -> Answer:
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
        return _refused(refusal)
    flash("Your request is on its way.", "leaf")
    return redirect(url_for("matches.request_page", match_request=asked.public_id), 303)


def _nobody(search: Search) -> str:
    """Out of everybody's scope leads to a person to call; anything else to what can be changed."""
    if search.is_beyond_every_scope:
        return render_template(
            "matches/step_up.html", reading=promise(now()), here=place(search.values.place).name
        )
    return render_template(
        "matches/nobody.html",
        here=place(search.values.place).name,
        licensed=len(search.licensed_with_room),
        obstacles=obstacles(search),
        standing=_standing(),
        will_be_told=queries.wants_to_be_told(the_client()),
        form=EmptyForm(),
    )


def _ask_page(therapist: uuid.UUID, form: AskForm) -> str:
    search = _search()
    found = search.why_not(str(therapist))
    if found is None:
        raise NotFound
    card = card_of(search, found.therapist_id, _currency())
    words = ReasonWords(card.profile, search.values, _currency())
    return render_template(
        "matches/ask.html",
        card=card,
        form=form,
        items=shareable(_answers()),
        here=place(search.values.place).name,
        reasons=words.public(found.failures),
    )


def _ask_form() -> AskForm:
    form = AskForm(name=the_client().preferred_name)
    form.offer(shareable(_answers()))
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


def _search() -> Search:
    return search_for(the_client(), _answers(), now(), footing=_footing(), history=_history())


def _standing() -> Standing:
    return standing_of(_history(), the_client().zone, now())


def _answers() -> dict[str, Any]:
    return answers_of(_intake())


def _intake() -> Intake | None:
    return _once("submitted_intake", queries.submitted_intake)


def _footing() -> queries.Footing:
    return _once("footing", queries.footing_of)


def _history() -> Sequence[MatchRequest]:
    return _once("history", queries.history_of)


def _once(name: str, look_up: Callable[[Client], Found]) -> Found:
    """Looked up once a request."""
    if name not in g:
        setattr(g, name, look_up(the_client()))
    found: Found = getattr(g, name)
    return found


def _keep_proposal(search: Search, ranking: matching.Ranking) -> None:
    """What is shown for the first time is written down before it is shown."""
    shown = [search.market.index.therapist(match.id) for match in ranking.results]
    weights = search.market.weights
    digest = operations.proposal_digest(search.values, shown, weights)
    if kept_before(the_client(), digest):
        return
    with unit_of_work() as session:
        operations.keep_proposal(session, the_client(), search.values, shown, weights, now())


def _therapist(public_id: uuid.UUID) -> Therapist:
    found = db.session.query(Therapist).filter_by(public_id=public_id).first()
    if found is None:
        raise NotFound
    return found


def _limit() -> int:
    return min(max(request.args.get("limit", SHOWN, type=int), SHOWN), MOST_SHOWN)


def _may_show_more(search: Search, ranking: matching.Ranking) -> bool:
    full = len(ranking.results) == _limit()
    return full and _limit() < MOST_SHOWN and len(search.ranking(_limit() + 1).results) > _limit()


def _uuid_from(name: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(request.args.get(name, ""))
    except ValueError:
        return None


def _currency() -> str:
    return current_settings().currency
