"""What holds for every address."""

import re
from pathlib import Path

from core.access import policy_of

ROOT = Path(__file__).parents[2]
ADDRESSES = (
    "/ /therapists /therapists/<uuid:therapist> /groups /groups/<uuid:group>"
    " /groups/<uuid:group>/enrolment /sign-up /sign-in /intake /matches /consents /today"
    " /caseload /credentials /flags /styleguide /health /webhooks/stripe"
).split()


def test_every_route_states_who_may_open_it(whole_app):
    for rule in whole_app.url_map.iter_rules():
        assert policy_of(whole_app, rule.endpoint) is not None, rule


def test_every_parameter_has_a_type_and_none_is_an_integer_key(whole_app):
    for rule in whole_app.url_map.iter_rules():
        if rule.endpoint == "static":
            continue
        for converter, _name in re.findall(r"<(?:([a-z]+)[^:>]*:)?([a-z_]+)>", rule.rule):
            assert converter in {"uuid", "string"}, rule.rule


def test_the_promised_addresses_are_there(whole_app):
    rules = {rule.rule for rule in whole_app.url_map.iter_rules()}
    assert set(ADDRESSES) <= rules


def test_only_the_webhook_is_excused_from_the_csrf_token(whole_app):
    excused = whole_app.extensions["csrf"]._exempt_views
    assert excused == {"practice.payments.views.webhook"}
    assert not whole_app.extensions["csrf"]._exempt_blueprints


def test_every_endpoint_that_a_template_names_exists(whole_app):
    for path in (ROOT / "templates").rglob("*"):
        if path.is_file():
            for endpoint in re.findall(r"url_for\(\s*['\"]([a-z_.]+)['\"]", path.read_text()):
                assert endpoint in whole_app.view_functions, f"{path}: {endpoint}"


def test_a_route_without_a_policy_is_never_opened(app):
    from core import access

    rule = access.policy_of(app, "today.home")
    view = app.view_functions["today.home"]
    del view.policy
    try:
        app.config["PROPAGATE_EXCEPTIONS"] = False
        assert app.test_client().get("/").status_code == 500
    finally:
        app.config["PROPAGATE_EXCEPTIONS"] = True
        view.policy = rule
