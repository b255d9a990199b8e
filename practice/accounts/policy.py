"""Who may open a page: the rules that views name with `@policy(...)`, and `@step_up`."""

from datetime import timedelta
from functools import wraps
from typing import Any

from flask import redirect, request, url_for
from flask_login import current_user

from core.access import Rule, Verdict, View, anyone
from core.clock import now
from core.config import current_settings
from core.database import db
from practice.accounts import keeping, second_factors
from practice.accounts.models import Client, Role, User

__all__ = ["anyone", "has_role", "is_client", "only_in_demo", "signed_in", "step_up", "the_client"]

PROOF_LASTS = timedelta(minutes=15)


def signed_in() -> Verdict:
    return Verdict.allow if current_user.is_authenticated else Verdict.sign_in


def has_role(*roles: Role) -> Rule:
    """Open to people with any of these roles; for others the page does not exist."""

    def rule() -> Verdict:
        if not current_user.is_authenticated:
            return Verdict.sign_in
        return Verdict.allow if current_user.has(*roles) else Verdict.not_found

    return rule


is_client = has_role(Role.client)


def the_client() -> Client:
    """The client who is signed in; only for views whose policy is `is_client`."""
    client: Client = current_user.user.client
    return client


def only_in_demo() -> Verdict:
    """Pages that exist in the demo's world and nowhere else."""
    return Verdict.allow if current_settings().demo else Verdict.not_found


def step_up(view: View) -> View:
    """Ask for a fresh proof before this view when the last one is older than `PROOF_LASTS`.

    Stands under `@policy(...)`, on the page with the form and on what the form is sent to alike:
    whoever opens the page is asked then, before typing. If the proof grows too old meanwhile, what
    was typed is kept and can be sent right after the proof.
    """

    @wraps(view)
    def asked(*arguments: Any, **values: Any) -> Any:
        if recently_proved() and _showed_what_there_is():
            return view(*arguments, **values)
        return redirect(url_for("accounts.prove", next=_way_back()), 303)

    asked.step_up = True  # type: ignore[attr-defined]
    return asked  # type: ignore[return-value]


def recently_proved() -> bool:
    return current_user.is_authenticated and now() - current_user.row.proved_at <= PROOF_LASTS


def _showed_what_there_is() -> bool:
    """A password typed before there was a second factor proves too little once there is one."""
    user: User = current_user.user
    return current_user.row.is_strong or not second_factors.factors_of(db.session(), user).any


def _way_back() -> str:
    if request.method == "GET":
        return request.full_path.rstrip("?")
    return keeping.keep_request(current_user.user)
