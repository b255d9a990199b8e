"""Pages of trying other wishes: look, keep, leave as it is, take back.

Wishes are health answers, so they never stand in an address: looking is a POST that answers with
the page itself, and nothing of it is kept.
"""

from textwrap import shorten
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from core.access import policy
from core.clock import now
from core.database import unit_of_work
from practice.accounts.policy import is_client, the_client
from practice.consent.policy import may_begin_intake
from practice.intake import operations as intake_operations
from practice.intake.in_words import in_words
from practice.intake.pages import BY_KEY
from practice.intake.presenting import extras_of
from practice.intake.queries import answers_of, submitted_before
from practice.matches import page
from practice.matches.blueprint import bp
from practice.matches.search import Search, values_for
from practice.matches.what_if.forms import APPROACH, WishesOnTrial, about_the_person
from practice.matches.what_if.trying import WISHES, preview

LEFT_OPEN = "left open"
LONGEST_HEADING = 90


@bp.get("/matches/what-if")
@policy(is_client)
@page.after_intake
def what_if() -> page.Answer:
    """The wishes as they stand, and what each of them costs."""
    return _page(_wishes(), changed=_changed_last())


@bp.post("/matches/what-if")
@policy(is_client)
@page.after_intake
def try_wishes() -> page.Answer:
    """Show what would change; with the button for it, keep what was shown."""
    wishes = _wishes()
    if not wishes.validate():
        return _page(wishes, is_wrong=True), 422
    is_to_keep = request.form.get("action") == "keep" and bool(wishes.moved)
    if is_to_keep and request.form.get("shown") == wishes.digest:
        return _keep(wishes.moved, "Your wishes are kept, and your list follows them.")
    return _page(wishes, kept_nothing=is_to_keep), 409 if is_to_keep else 200


@bp.post("/matches/what-if/undoing")
@policy(is_client)
@page.after_intake
def take_back() -> page.Answer:
    """What was changed last stands again as it did before."""
    changed = _changed_last()
    if not changed:
        flash("There is nothing to take back.", "sun")
        return redirect(url_for("matches.what_if"), 303)
    return _keep(changed, "Your wishes stand again as they did before.")


def _keep(changes: dict[str, Any], words: str) -> Response:
    if not may_begin_intake(the_client()):
        return redirect(url_for("consent.begin"), 303)
    with unit_of_work() as session:
        intake_operations.amend(session, the_client(), changes, now())
    flash(words, "leaf")
    return redirect(url_for("matches.what_if"), 303)


def _page(
    wishes: WishesOnTrial,
    *,
    changed: dict[str, Any] | None = None,
    is_wrong: bool = False,
    kept_nothing: bool = False,
) -> str:
    before = page.search()
    moved = {} if is_wrong else wishes.moved
    after = _search_with(before, wishes.answers) if moved else before
    return render_template(
        "matches/what_if.html",
        wishes=wishes,
        headings={key: _heading(key) for key in WISHES},
        moved=moved,
        extras={key: extras_of(BY_KEY[key], wishes[key]) for key in ("hours", "languages")},
        preview=None if is_wrong else preview(before, after, moved, page.currency()),
        shown="" if is_wrong else wishes.digest,
        kept_nothing=kept_nothing,
        changed=[WISHES[key] for key in changed or ()],
    )


def _heading(key: str) -> str:
    """The wish and what is kept of it now: "Way of meeting: Online"."""
    kept = page.answers().get(key)
    if key == "wishes":
        kept = {name: wish for name, wish in (kept or {}).items() if name == APPROACH}
    words = "; ".join(in_words(key, kept)) if kept else LEFT_OPEN
    # What is kept of wishes says itself what it is about.
    heading = words if key == "wishes" and kept else f"{WISHES[key]}: {words}"
    return shorten(heading, LONGEST_HEADING, placeholder=" …")


def _search_with(before: Search, answers: dict[str, Any]) -> Search:
    values = values_for(the_client(), answers, now(), page.footing(), page.history())
    return Search(values, before.market, before.version, before.at)


def _wishes() -> WishesOnTrial:
    return WishesOnTrial(page.answers(), the_client().zone)


def _changed_last() -> dict[str, Any]:
    """{page: what it said before}, if nothing but wishes was changed by the newest answers."""
    newest = page.intake()
    before = submitted_before(newest) if newest else None
    if newest is None or before is None:
        return {}
    was, is_now = answers_of(before), answers_of(newest)
    differing = {key for key in was | is_now if was.get(key) != is_now.get(key)}
    if not differing <= WISHES.keys() or about_the_person(was) != about_the_person(is_now):
        return {}
    return {key: was.get(key) for key in WISHES if key in differing}
