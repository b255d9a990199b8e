"""The blueprint of accounts, and what its views share."""

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from core.clock import now
from core.database import unit_of_work
from practice.accounts import attempts
from practice.accounts.attempts import Kind, TooManyTries
from practice.forms import Form

bp = Blueprint("accounts", __name__)

Page = Response | str | tuple[str, int]


def page(template: str, form: Form, **values: object) -> Page:
    return render_template(template, form=form, **values), 422 if form.errors else 200


def counted(form: Form, kind: Kind, address: str) -> bool:
    """Count the try in a transaction of its own: it counts even if what follows fails."""
    try:
        with unit_of_work() as session:
            attempts.count(session, kind, address, request.remote_addr or "", now())
    except TooManyTries as refusal:
        form.form_errors.append(refusal.message)
    return not form.form_errors
