"""The page on which a payer pays with a test card.

It offers test cards by choice and has no field for a number, so no real card can be typed into
it. There is no cookie and nobody is signed in: the session's unguessable id is the permission,
and a forged form could do nothing that its author could not do directly.
"""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Response,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
)
from werkzeug.wrappers import Response as Redirect

from billing.sandbox import cards
from billing.sandbox.checkout import address_after, line_items_of
from billing.sandbox.errors import ApiError, CardDeclined, Json, ResourceMissing
from core.money import format_money

if TYPE_CHECKING:
    from billing.sandbox.sandbox import Sandbox

OFFERED = {card.number for card in cards.ON_THE_PAGE}

pages = Blueprint("pages", __name__, template_folder="templates", static_folder="static",
                  static_url_path="/pay-static")  # fmt: skip


@pages.get("/pay/<session_id>")
def card_page(session_id: str) -> Response:
    return _page(*_read(session_id))


@pages.post("/pay/<session_id>")
def pay(session_id: str) -> Response | Redirect:
    card = request.form.get("card", "")
    if card not in OFFERED:
        return _page(*_read(session_id), problem="Please choose one of the test cards.", status=422)
    try:
        session = _sandbox().pay(session_id, card)
    except CardDeclined as error:
        return _page(*_read(session_id), problem=error.message, chosen=card, status=402)
    except ResourceMissing:
        raise
    except ApiError:
        return _page(*_read(session_id))
    return redirect(address_after(session), code=303)


@pages.errorhandler(ResourceMissing)
def not_there(_: ResourceMissing) -> tuple[str, int]:
    return render_template("pay/missing.html"), 404


def _read(session_id: str) -> tuple[Json, list[Json]]:
    with _sandbox().desk.call() as call:
        session = call.books.get("checkout.session", session_id)
        return session, line_items_of(call, session)["data"]


def _page(
    session: Json,
    lines: list[Json],
    *,
    problem: str = "",
    chosen: str = cards.PAYS.number,
    status: int = 200,
) -> Response:
    if session["status"] != "open":
        return _closed_page(session)
    html = render_template(
        "pay/card.html",
        session=session,
        lines=lines,
        money=lambda minor: format_money(minor, session["currency"].upper()),
        cards=cards.ON_THE_PAGE,
        chosen=chosen,
        problem=problem,
    )
    return _guarded(make_response(html, status), session)


def _closed_page(session: Json) -> Response:
    paid = session["status"] == "complete"
    html = render_template(
        "pay/closed.html",
        paid=paid,
        onward=address_after(session) if paid else session["cancel_url"],
    )
    return _guarded(make_response(html, 200 if paid else 410), session)


def _guarded(response: Response, session: Json) -> Response:
    # Chromium holds form-action against the redirect that follows the form as well.
    after = urlsplit(session["success_url"])
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self' {after.scheme}://{after.netloc}"
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _sandbox() -> "Sandbox":
    sandbox: Sandbox = current_app.extensions["sandbox"]
    return sandbox
