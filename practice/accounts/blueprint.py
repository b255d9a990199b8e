"""The blueprint of accounts, and what its views share."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from core.clock import now
from core.errors import NotFound, Refusal
from practice.accounts import attempts, known_browsers
from practice.accounts.attempts import Kind, TooManyTries
from practice.forms import Form

bp = Blueprint("accounts", __name__)

Page = Response | str | tuple[str, int]

# What a stranger can try who knows no more than the address, or the password as well. A fresh proof
# is asked of whoever is signed in, and mails are sent to the owner in any case.
STRANGERS_TRY = frozenset({Kind.sign_in, Kind.second_factor})


def page(template: str, form: Form, **values: object) -> Page:
    return render_template(template, form=form, **values), 422 if form.errors else 200


def counted(form: Form, kind: Kind, address: str) -> bool:
    """Count the try by itself: it counts even if what follows fails."""
    try:
        attempts.count(kind, address, browser_address(), now(), _known_as(kind, address))
    except TooManyTries as refusal:
        form.form_errors.append(refusal.message)
    return not form.form_errors


def forgiven(kind: Kind, address: str) -> None:
    """The try that was counted has succeeded."""
    attempts.forgive(kind, address, browser_address(), _known_as(kind, address))


def _known_as(kind: Kind, address: str) -> str:
    return known_browsers.name_here(address) if address and kind in STRANGERS_TRY else ""


def browser_address() -> str:
    return request.remote_addr or ""


@contextmanager
def refusals_on(form: Form) -> Iterator[None]:
    """An expected refusal is said on top of its form."""
    try:
        yield
    except NotFound:
        raise
    except Refusal as refusal:
        form.form_errors.append(refusal.message)


def link_over(endpoint: str, label: str) -> Page:
    return render_template("accounts/link_over.html", endpoint=endpoint, label=label), 410
