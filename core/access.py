"""Every route states who may open it: `@policy(rule)` under the route's decorator."""

import enum
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, abort, current_app, redirect, request
from werkzeug.wrappers import Response


class Verdict(enum.StrEnum):
    allow = "allow"
    sign_in = "sign in"
    not_found = "not found"


Rule = Callable[[], Verdict]
View = TypeVar("View", bound=Callable[..., Any])


class MissingPolicy(RuntimeError):
    """A route without a policy: a mistake of ours, never opened."""


def policy(rule: Rule) -> Callable[[View], View]:
    """State who may open a view. The rule is asked before the view runs."""

    def attach(view: View) -> View:
        view.policy = rule  # type: ignore[attr-defined]
        return view

    return attach


def policy_of(app: Flask, endpoint: str) -> Rule | None:
    rule: Rule | None = getattr(app.view_functions[endpoint], "policy", None)
    return rule


def anyone() -> Verdict:
    return Verdict.allow


def enforce_policy() -> Response | None:
    """Before each request; a route without a policy is an error, not an open door."""
    if request.endpoint is None:
        return None
    rule = policy_of(current_app, request.endpoint)
    if rule is None:
        raise MissingPolicy(request.endpoint)
    return _answer(rule())


def _answer(verdict: Verdict) -> Response | None:
    if verdict is Verdict.allow:
        return None
    if verdict is Verdict.not_found:
        abort(404)
    sign_in: Callable[[], str] = current_app.extensions["sign_in_address"]
    return redirect(sign_in(), 303)


def install_access(app: Flask, sign_in_address: Callable[[], str]) -> None:
    app.extensions["sign_in_address"] = sign_in_address
    policy(anyone)(app.view_functions["static"])
    app.before_request(enforce_policy)
