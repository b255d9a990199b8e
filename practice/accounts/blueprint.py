"""The blueprint of accounts, and what its views share."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from core.clock import now
from core.errors import NotFound, Refusal
from practice.accounts import attempts
from practice.accounts.attempts import Kind, TooManyTries
from practice.forms import Form

bp = Blueprint("accounts", __name__)

Page = Response | str | tuple[str, int]


def page(template: str, form: Form, **values: object) -> Page:
    return render_template(template, form=form, **values), 422 if form.errors else 200


def counted(form: Form, kind: Kind, address: str) -> bool:
    """Count the try by itself: it counts even if what follows fails."""
    try:
        attempts.count(kind, address, browser_address(), now())
    except TooManyTries as refusal:
        form.form_errors.append(refusal.message)
    return not form.form_errors


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
