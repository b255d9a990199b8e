"""What every answer carries, and what no page may do."""

from tests.controls.control import Control

HEADERS = "practice/headers.py"
HEADER_TESTS = "tests/practice/test_headers.py"
APP = "practice/app.py"

CONTROLS = (
    Control(
        "scripts and styles come from our own origin",
        "the policy lets scripts stand inside a page",
        HEADERS,
        "\"script-src 'self'\",",
        "\"script-src 'self' 'unsafe-inline'\",",
        (f"{HEADER_TESTS}::test_scripts_and_styles_come_from_here_and_never_from_inside_a_page",),
    ),
    Control(
        "no other site frames our pages",
        "frame-ancestors left out",
        HEADERS,
        "\"frame-ancestors 'none'\",",
        "",
        (f"{HEADER_TESTS}::test_pages_redirects_and_errors_carry_the_same_headers",),
    ),
    Control(
        "a form goes to us or to the payment page",
        "form-action opened to everybody",
        HEADERS,
        "f\"form-action 'self' {payment_page}\"",
        '"form-action *"',
        (f"{HEADER_TESTS}::test_a_form_goes_to_us_or_to_the_payment_page_alone",),
    ),
    Control(
        "over TLS browsers stay there",
        "no Strict-Transport-Security",
        HEADERS,
        "if _settings().served_over_tls:",
        "if False:",
        (f"{HEADER_TESTS}::test_over_tls_browsers_are_told_to_stay_there",),
    ),
    Control(
        "no address of a page leaves as a referrer",
        "Referrer-Policy left out",
        HEADERS,
        'headers["Referrer-Policy"] = "no-referrer"',
        "pass",
        (f"{HEADER_TESTS}::test_pages_redirects_and_errors_carry_the_same_headers",),
    ),
    Control(
        "private pages are kept nowhere",
        "no Cache-Control",
        HEADERS,
        'headers.setdefault("Cache-Control", "no-store")',
        "pass",
        (f"{HEADER_TESTS}::test_pages_redirects_and_errors_carry_the_same_headers",),
    ),
    Control(
        "what people write is text",
        "a profile's words marked as safe",
        "practice/consent/rendering.py",
        "cleaned = nh3.clean(html, tags=TAGS, attributes=ATTRIBUTES, url_schemes=SCHEMES)",
        "cleaned = html",
        (
            "tests/practice/consent/test_pages.py"
            "::test_nothing_that_runs_or_calls_home_comes_out_of_a_text",
        ),
    ),
    Control(
        "an error's page does not tell what failed",
        "the error's own words on the page",
        "practice/errors.py",
        "return _render(ERROR_PAGES[503 if isinstance(error, OperationalError) else 500])",
        "return str(error), 500",
        (
            "tests/practice/test_errors.py::test_the_page_of_an_error_does_not_tell_what_it_was_about",
            "tests/journeys/test_private_pages.py::test_an_error_tells_nothing_of_what_failed",
        ),
    ),
    Control(
        "a statement that fails is never told with its values",
        "parameters shown in errors",
        APP,
        '"hide_parameters": True,',
        "",
        (
            "tests/practice/test_errors.py::test_a_statement_that_fails_is_never_told_with_its_values",
        ),
    ),
    Control(
        "every form carries a token of its session",
        "no CSRF check",
        APP,
        "csrf.init_app(app)",
        "app.extensions['csrf'] = csrf",
        ("tests/practice/test_errors.py::test_a_form_without_its_token_is_asked_for_again",),
    ),
    Control(
        "more than anyone types is refused",
        "no limit to the size of a request",
        APP,
        "MAX_CONTENT_LENGTH=2 * 1024 * 1024,",
        "",
        ("tests/practice/test_errors.py::test_more_than_anyone_types_is_refused_kindly",),
    ),
    Control(
        "a browser's address is believed only of our proxies",
        "anybody's X-Forwarded-For is believed",
        APP,
        "if number:",
        "number = number or 1\n    if number:",
        (
            "tests/practice/test_proxies.py"
            "::test_a_browsers_address_is_believed_only_of_proxies_of_ours",
        ),
    ),
    Control(
        "a route without a policy stays closed",
        "no policy, no question",
        "core/access.py",
        "raise MissingPolicy(request.endpoint)",
        "return None",
        (
            "tests/core/test_access.py::test_a_door_without_a_policy_is_a_mistake_and_stays_closed",
            "tests/conventions/test_routes.py::test_a_route_without_a_policy_is_never_opened",
        ),
    ),
    Control(
        "a log line holds only fields of the list",
        "unknown fields are written too",
        "core/logs.py",
        "if unknown:",
        "if False:",
        ("tests/core/test_logs.py::test_a_field_that_is_not_on_the_list_is_refused",),
    ),
    Control(
        "an error is kept in the outbox by its class alone",
        "the error's words kept",
        "core/outbox.py",
        '{"last_error": type(error).__name__, "leased_until": None}',
        '{"last_error": str(error), "leased_until": None}',
        ("tests/core/test_outbox.py::test_an_error_is_kept_and_logged_by_its_class_alone",),
    ),
    Control(
        "an address cannot add headers to a mail",
        "headers written without a check",
        "core/mail.py",
        'message["To"] = payload["to"]',
        'message._headers.append(("To", payload["to"]))',
        ("tests/core/test_mail.py::test_an_address_cannot_add_headers_or_people",),
    ),
    Control(
        "a mail server's password is never sent in the clear",
        "the check for TLS left out",
        "core/mail.py",
        "if not isinstance(server.sock, ssl.SSLSocket):",
        "if False:",
        ("tests/core/test_mail.py::test_a_password_is_never_sent_in_the_clear",),
    ),
)
