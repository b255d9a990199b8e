"""The clinical lead's page of everybody who waits: proposals, and confirming many at once."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from core.access import policy
from core.clock import now
from core.config import current_settings
from core.database import unit_of_work
from core.errors import NotFound, Refusal
from practice.accounts.models import Role
from practice.accounts.readings import viewed
from practice.matches.market.prices import newest_prices
from practice.paging import page_number
from practice.waiting import deciding, queries, runs
from practice.waiting.blueprint import bp
from practice.waiting.comparing import AIM, measures_of, percent_of, sentence_of
from practice.waiting.forms import ConfirmForm, ShowForm
from practice.waiting.listing import SHOW_WORDS, Listing, listing_for
from practice.waiting.models import Placement, WaitingRun
from practice.waiting.policy import is_lead
from practice.waiting.refusals import CannotConfirm, NoLongerThere, NothingChosen, RunIsOver
from practice.waiting.since import Since, name_of
from practice.when import deadline_words

Answer = str | Response | tuple[str, int]
OFFERS = "offers"


@dataclass(frozen=True)
class Answered:
    """What came of confirming many: so many were `written` to, and why the rest was not.

    `problems` are in the way of `placements`, `changed` have been acted on since they were looked
    at, `gone` are no longer there. The `others` can be confirmed all the same, as they were `seen`.
    """

    written: int = 0
    problems: Sequence[str] = ()
    placements: Collection[uuid.UUID] = ()
    changed: Sequence[Since] = ()
    gone: int = 0
    others: Sequence[uuid.UUID] = ()
    ticked: Collection[uuid.UUID] = frozenset()

    @property
    def left(self) -> int:
        return len(self.problems) + len(self.changed) + self.gone

    @property
    def named(self) -> list[uuid.UUID]:
        return [*self.placements, *(each.placement for each in self.changed)]


@bp.get("/waiting-list")
@policy(is_lead)
def waiting_list() -> Answer:
    """The newest proposal beside first come, first served, who waits, and what is offered."""
    return _list_page(ConfirmForm(formdata=None), Answered())


@bp.post("/waiting-list/runs")
@policy(is_lead)
def ask_for_run() -> Answer:
    with unit_of_work() as session:
        runs.ask(session, current_user.user, now())
    return _back("A proposal is being worked out. It appears on this page.", "leaf")


@bp.post("/waiting-list/runs/<uuid:waiting_run>/withdrawal")
@policy(is_lead)
def withdraw_run(waiting_run: uuid.UUID) -> Answer:
    try:
        with unit_of_work() as session:
            runs.withdraw(session, _run(waiting_run), current_user.user, now())
    except NotFound:
        raise
    except Refusal as refusal:
        return _back(refusal.message, "sun")
    return _back("The proposal is taken back. What was offered already stays offered.", "leaf")


@bp.post("/waiting-list/runs/<uuid:waiting_run>/confirmation")
@policy(is_lead)
def confirm(waiting_run: uuid.UUID) -> Answer:
    """Those who are as they were seen; the page says who is not, and why."""
    form = ConfirmForm()
    try:
        with unit_of_work() as session:
            run = _run(waiting_run)
            chosen = _chosen(form, run)
            user, seen = current_user.user, form.version
            changed = deciding.confirm(session, run, chosen, user, now(), seen=seen)
    except NotFound:
        raise
    except CannotConfirm as refusal:
        return _list_page(form, _refused(form, refusal, chosen)), 409
    except Refusal as refusal:
        return _back(refusal.message, "sun")
    answered = Answered(len(chosen) - len(changed), changed=changed, gone=_gone(form, chosen))
    if answered.left:
        return _list_page(form, answered)
    return _back(f"{written_words(answered.written)} been written to. {KEPT}", "leaf")


KEPT = "Each place is kept until they answer."


def written_words(people: int) -> str:
    return "One person has" if people == 1 else f"{people} people have"


def _list_page(form: ConfirmForm, answered: Answered) -> str:
    """No row in the log, no page. What was refused names people: here, and in no cookie."""
    with unit_of_work() as session:
        listing = _listing()
        named = queries.clients_of(current_user.user, answered.named)
        viewed(
            session,
            "waiting_list.viewed",
            "user",
            current_user.public_id,
            [*listing.clients, *named],
            Role.clinical_lead,
        )
    return render_template(
        "waiting/list.html",
        listing=listing,
        run=listing.run,
        making=listing.making,
        has_failed=listing.making is not None and queries.has_failed(listing.making),
        showing=ShowForm(formdata=None, data={"show": listing.show.value}),
        heading=SHOW_WORDS[listing.show],
        address=_address,
        name_of=name_of,
        **_compared(listing.run),
        prices=newest_prices(),
        form=form,
        answered=answered,
        written=written_words(answered.written),
        at=now(),
        zone=current_settings().zone,
        due_words=lambda placement: deadline_words(placement.due_at, current_settings().zone),
    )


def _listing() -> Listing:
    """The page of the list, and of what is offered, that the address asks for."""
    show, user = ShowForm(request.args).chosen, current_user.user
    return listing_for(user, show, page_number(), page_number(OFFERS), now())


def _address(**changed: Any) -> str:
    """The same part of the list with another page."""
    kept = {name: request.args[name] for name in ("show", "page", OFFERS) if name in request.args}
    return url_for("waiting.waiting_list", **kept | changed)


def _compared(run: WaitingRun | None) -> dict[str, object]:
    if run is None or not run.stands or not run.figures:
        return {"measures": [], "sentence": ""}
    return {
        "measures": measures_of(run.figures),
        "sentence": sentence_of(run.figures),
        "higher": percent_of(run.gap) if run.gap else "",
        "aim": AIM,
    }


def _chosen(form: ConfirmForm, run: WaitingRun) -> Sequence[Placement]:
    """Those ticked, or all that are proposed. Raises RunIsOver, NothingChosen and NoLongerThere."""
    if not run.stands:
        raise RunIsOver
    if not form.is_everything and not form.ticked:
        raise NothingChosen
    if form.is_everything:
        proposed = queries.proposed_in(current_user.user, run, form.version)
        chosen = [each for each in proposed if each.public_id not in form.left_out]
    else:
        chosen = list(queries.among(current_user.user, run, form.ticked))
    if not chosen:
        raise NoLongerThere
    return chosen


def _refused(form: ConfirmForm, refused: CannotConfirm, chosen: Sequence[Placement]) -> Answered:
    """What has changed is not ticked any more: somebody has to look at it first."""
    changed = {each.placement for each in refused.changed}
    unchanged = [each.public_id for each in chosen if each.public_id not in changed]
    return Answered(
        problems=refused.problems,
        placements=refused.placements,
        changed=refused.changed,
        gone=_gone(form, chosen),
        others=[each for each in unchanged if each not in refused.placements],
        ticked=form.ticked - changed,
    )


def _gone(form: ConfirmForm, chosen: Sequence[Placement]) -> int:
    return 0 if form.is_everything else len(form.ticked) - len(chosen)


def _run(public_id: uuid.UUID) -> WaitingRun:
    found = queries.run_with(public_id)
    if found is None:
        raise NotFound
    return found


def _back(message: str, kind: str) -> Response:
    flash(message, kind)
    return redirect(_address(), 303)
