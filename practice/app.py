"""The roof: where the rooms, the engine, billing and the ground meet."""

import logging
from pathlib import Path

from flask import Flask
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from core import access, keeping, request_log
from core.backup.places import forget_killed_restore
from core.clock import Clock, SystemClock
from core.config import Settings, settings_from
from core.database import db, keep_private, let_go
from core.mail import deliver_mail
from core.outbox import handle
from practice import append_only, erased, errors, front_door, headers, navigation, styles, wiring
from practice.accounts import signing_in
from practice.accounts.views import bp as accounts
from practice.appointments.views import bp as appointments
from practice.care.views import bp as care
from practice.consent.views import bp as consent
from practice.cookies import SignedCookies
from practice.credentials.views import bp as credentials
from practice.groups.views import bp as groups
from practice.intake.views import bp as intake
from practice.matches.views import bp as matches
from practice.outcomes.views import bp as outcomes
from practice.oversight.views import bp as oversight
from practice.payments.views import bp as payments
from practice.privacy.views import bp as privacy
from practice.therapists.views import bp as therapists
from practice.today.views import bp as today
from practice.waiting.views import bp as waiting

ROOT = Path(__file__).parent.parent
SLICES = (
    accounts,
    consent,
    intake,
    therapists,
    credentials,
    matches,
    waiting,
    care,
    outcomes,
    appointments,
    groups,
    payments,
    privacy,
    oversight,
    today,
)

csrf = CSRFProtect()


def create_app(settings: Settings | None = None, clock: Clock | None = None) -> Flask:
    """The whole application; settings come from the environment unless given."""
    settings = settings or settings_from()
    app = Flask(
        __name__,
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "static"),
    )
    _configure(app, settings, clock or SystemClock())
    _install(app)
    for slice_ in SLICES:
        app.register_blueprint(slice_)
    handle(app, "mail", deliver_mail)
    wiring.connect(app)
    _see_through_proxies(app, settings.trusted_proxies)
    return app


def _see_through_proxies(app: Flask, number: int) -> None:
    """Tell browsers apart by their own address, as our own proxies report it.

    Without it everybody behind a proxy would share one limit of tries at signing in; with one
    too many, anybody could choose their address.
    """
    if number:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=number, x_proto=number, x_host=0)


def _configure(app: Flask, settings: Settings, clock: Clock) -> None:
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    keep_private(settings.database_url)
    forget_killed_restore(settings.database_url)
    erased.install(app)
    logging.getLogger("attune").setLevel(logging.INFO)
    app.extensions["settings"] = settings
    app.session_interface = SignedCookies()
    app.extensions["clock"] = clock
    keeping.install(app, settings)
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS={
            "pool_pre_ping": settings.database_url.startswith("postgresql"),
            # An error's text may reach a terminal or a log: without the values that people gave.
            "hide_parameters": True,
        },
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.served_over_tls,
        SESSION_COOKIE_NAME="__Host-attune" if settings.served_over_tls else "attune",
        MAX_CONTENT_LENGTH=2 * 1024 * 1024,
        WTF_CSRF_TIME_LIMIT=None,
        # Our pages ask browsers to send no referrer; the token alone must carry a form over TLS.
        WTF_CSRF_SSL_STRICT=False,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def _install(app: Flask) -> None:
    request_log.install(app)
    append_only.install()
    front_door.install(app)
    db.init_app(app)
    # What is registered last comes first.
    app.teardown_appcontext(let_go)
    csrf.init_app(app)
    signing_in.install(app)
    access.install_access(app, signing_in.sign_in_address)
    headers.install(app)
    errors.install(app)
    navigation.install(app)
    styles.install(app)
