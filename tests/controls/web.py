"""What every answer carries, and what no page may do."""

from tests.controls.control import Control

HEADERS = "practice/headers.py"
HEADER_TESTS = "tests/practice/test_headers.py"
DOOR_TESTS = "tests/practice/test_front_door.py"
LOG_TESTS = "tests/core/test_logs.py"
APP = "practice/app.py"
KEYBOARD = "tests/journeys/test_keyboard_alone.py"

CONTROLS = (
    Control(
        "only scripts that carry the page's nonce run",
        "the policy lets scripts stand inside a page",
        HEADERS,
        "f\"script-src 'nonce-{script_nonce()}'\",",
        "\"script-src 'self' 'unsafe-inline'\",",
        (
            f"{HEADER_TESTS}::test_scripts_and_styles_come_from_here_and_never_from_inside_a_page",
            f"{HEADER_TESTS}"
            "::test_a_page_runs_the_scripts_that_carry_its_own_nonce_and_each_page_has_another",
        ),
    ),
    Control(
        "each page has another nonce",
        "one nonce for all pages",
        HEADERS,
        "g.script_nonce = secrets.token_urlsafe(16)",
        'g.script_nonce = "always the same"',
        (
            f"{HEADER_TESTS}"
            "::test_a_page_runs_the_scripts_that_carry_its_own_nonce_and_each_page_has_another",
        ),
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
        "a form leads to the payment page from one page only",
        "every page may lead there",
        HEADERS,
        'if not g.get("leads_to_payment"):',
        "if False:",
        (
            f"{HEADER_TESTS}"
            "::test_only_the_page_with_the_button_lets_a_form_lead_to_the_payment_page",
        ),
    ),
    Control(
        "over TLS browsers stay there",
        "no Strict-Transport-Security",
        HEADERS,
        'if current_settings().served_over_tls:\n        headers["Strict',
        'if False:\n        headers["Strict',
        (f"{HEADER_TESTS}::test_over_tls_browsers_are_told_to_stay_there",),
    ),
    Control(
        "no address of a page leaves as a referrer",
        "Referrer-Policy left out",
        HEADERS,
        '"Referrer-Policy": "no-referrer",',
        "",
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
        "after signing out the browser drops its pages",
        "no Clear-Site-Data",
        HEADERS,
        "if request.endpoint in ENDS_A_VISIT:",
        "if False:",
        (f"{HEADER_TESTS}::test_signing_out_asks_the_browser_to_drop_the_pages_it_keeps",),
    ),
    Control(
        "the cookie is not sent along from other sites",
        "SameSite left out",
        APP,
        'SESSION_COOKIE_SAMESITE="Lax",',
        "",
        (f"{HEADER_TESTS}::test_the_cookie_is_bound_to_this_host_alone_behind_tls",),
    ),
    Control(
        "the cookie is sent over TLS alone",
        "Secure left out",
        APP,
        "SESSION_COOKIE_SECURE=settings.served_over_tls,",
        "",
        (f"{HEADER_TESTS}::test_the_cookie_is_bound_to_this_host_alone_behind_tls",),
    ),
    Control(
        "scripts cannot read the cookie",
        "HttpOnly left out",
        APP,
        "SESSION_COOKIE_HTTPONLY=True,",
        "SESSION_COOKIE_HTTPONLY=False,",
        (f"{HEADER_TESTS}::test_the_cookie_is_bound_to_this_host_alone_behind_tls",),
    ),
    Control(
        "cookies are signed with HMAC-SHA-256",
        "Flask's own HMAC-SHA-1",
        "practice/cookies.py",
        "digest_method = staticmethod(hashlib.sha256)",
        "digest_method = staticmethod(hashlib.sha1)",
        ("tests/practice/test_cookies.py::test_a_cookie_signed_by_another_algorithm_is_no_cookie",),
    ),
    Control(
        "we answer under our own names alone",
        "any host is answered",
        "practice/front_door.py",
        "if request.endpoint not in ANSWERS_TO_ANY_NAME and not _is_ours(_asked_for()):",
        "if False:",
        (
            f"{DOOR_TESTS}"
            "::test_a_request_for_another_name_is_refused_with_a_page_that_does_not_repeat_it",
        ),
    ),
    Control(
        "what another site sends changes nothing",
        "requests from anywhere are taken",
        "practice/front_door.py",
        "if not _comes_from_us():",
        "if False:",
        (f"{DOOR_TESTS}::test_what_another_site_sends_changes_nothing",),
    ),
    Control(
        "looking at a page changes nothing",
        "a request is withdrawn by a link",
        "practice/matches/request_views.py",
        '@bp.post("/requests/<uuid:match_request>/withdrawal")',
        '@bp.route("/requests/<uuid:match_request>/withdrawal", methods=["GET", "POST"])',
        (
            "tests/journeys/test_reading.py"
            "::test_looking_at_every_page_changes_nothing_but_the_notes_of_it",
        ),
    ),
    Control(
        "what people write is text",
        "the cleaning left out",
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
        "return _render(ERROR_PAGES[503 if _passes(error) else 500])",
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
        "a log line holds only fields and values with a shape",
        "what has no shape is written as it is",
        "core/logs.py",
        "raise FieldNotAllowed(name) from None",
        "return str(value)",
        (
            f"{LOG_TESTS}::test_a_field_without_a_shape_is_refused",
            f"{LOG_TESTS}::test_a_value_of_another_shape_is_refused_without_being_named",
        ),
    ),
    Control(
        "libraries' words do not reach the log",
        "their records are printed as they are",
        "core/logs.py",
        'return _line("library.spoke", _outline(record.name, record.levelname, error))',
        "return record.getMessage()",
        (f"{LOG_TESTS}::test_what_a_library_says_is_cut_down_to_who_spoke",),
    ),
    Control(
        "a request's line names its route, not its address",
        "the address is written",
        "core/request_log.py",
        "route=request.url_rule,",
        "kind=request.path,",
        (
            "tests/core/test_request_log.py"
            "::test_a_request_is_one_line_with_its_kind_and_never_its_address",
        ),
    ),
    Control(
        "nobody writes a reference of their own into the log",
        "any X-Request-Id is taken over",
        "core/request_ids.py",
        'return given if trusted and SHAPE.fullmatch(given) else ""',
        "return given",
        (
            "tests/core/test_request_log.py"
            "::test_a_reference_from_outside_is_ignored_without_a_proxy_of_ours",
        ),
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
        "a mail server without TLS is told nothing",
        "TLS only if the greeting offers it",
        "core/mail.py",
        "settings.mail_tls is MailTls.required:",
        'server.has_extn("starttls"):',
        ("tests/core/test_mail.py::test_whoever_takes_tls_out_of_the_greeting_is_told_nothing",),
    ),
    Control(
        "a mail server's certificate is its own",
        "any certificate will do",
        "core/mail.py",
        "    server.starttls(context=ssl.create_default_context())",
        "    server.starttls()",
        (
            "tests/core/test_mail.py::test_a_certificate_of_another_host_is_told_nothing",
            "tests/core/test_mail.py::test_a_certificate_that_nobody_vouches_for_is_told_nothing",
        ),
    ),
    Control(
        "mail in the clear stays on this machine",
        "none is taken for every server",
        "core/config.py",
        "    return is_here and not (server.username or server.password)",
        "    return bool(server.scheme) or is_here",
        (
            "tests/core/test_config.py"
            "::test_mail_in_the_clear_goes_to_no_other_machine_and_with_no_password",
        ),
    ),
    Control(
        "a mail server's password is never sent in the clear",
        "the check for TLS left out",
        "core/mail.py",
        "if not isinstance(server.sock, ssl.SSLSocket):",
        "if False:",
        ("tests/core/test_mail.py::test_a_password_is_never_sent_in_the_clear",),
    ),
    Control(
        "what has the focus shows a ring",
        "the ring is taken away",
        "static/css/base.css",
        ":focus-visible { outline: 3px solid var(--focus); outline-offset: 3px;",
        ":focus-visible { outline: none;",
        (f"{KEYBOARD}::test_whatever_can_be_used_is_reached_in_order_and_shows_it",),
    ),
    Control(
        "the navigation can be skipped",
        "there is no way round it",
        "templates/base.html",
        '<a class="skip" href="#main">Skip to the page</a>',
        "",
        (
            f"{KEYBOARD}::test_whatever_can_be_used_is_reached_in_order_and_shows_it",
            f"{KEYBOARD}::test_the_way_round_the_navigation_is_one_key",
        ),
    ),
    Control(
        "a form that did not go through leads to what is missing",
        "the reader is left at the top",
        "static/js/attune.js",
        'document.querySelector(".error-summary")?.focus();',
        "",
        (f"{KEYBOARD}::test_a_form_that_did_not_go_through_leads_to_what_is_missing",),
    ),
    Control(
        "a text is pressed as an address only where it is one",
        "whatever somebody wrote becomes a link",
        "templates/components/link.html",
        "{% if address is web_address %}",
        "{% if true %}",
        (
            "tests/practice/test_web_address.py"
            "::test_no_hostile_text_becomes_more_than_a_link_or_text",
            "tests/journeys/test_stored_script.py"
            "::test_nothing_that_anybody_writes_runs_on_any_page",
        ),
    ),
    Control(
        "an address in a form is a whole https address",
        "any beginning passes",
        "practice/web_address.py",
        'if not text.startswith("https://") or any(each <= " " for each in text):',
        "if not text:",
        (
            "tests/practice/test_web_address.py::test_anything_else_is_not",
            "tests/practice/credentials/test_pages.py"
            "::test_evidence_that_says_too_little_is_sent_back_with_everything_typed",
        ),
    ),
    Control(
        "a page that was finished when the database went away is answered",
        "letting go of the database spoils it",
        "core/database.py",
        "    with suppress(OperationalError, InterfaceError):\n        db.session.rollback()",
        "    pass",
        (
            "tests/practice/test_letting_go.py"
            "::test_a_page_that_was_finished_when_the_database_went_away_is_answered",
        ),
    ),
)
