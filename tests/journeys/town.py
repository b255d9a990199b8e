"""A small running world for stories: web server, payment sandbox and, on request, the worker."""

import re
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from wsgiref.types import WSGIApplication

import sqlalchemy as sa
from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from billing.sandbox import Sandbox
from core.clock import FrozenClock
from core.config import Settings
from core.database import db
from core.mail import KeptMail, was_sent_to
from core.outbox import drain
from practice import errors
from practice.app import create_app
from practice.wiring import sweep

LINK = re.compile(r"https?://[^\s]+")
MOST_ROUNDS = 20


class Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return None


@dataclass(frozen=True)
class Mail:
    """What somebody finds in their post box, opened."""

    to: str
    subject: str
    body: str
    attachment: str


@dataclass
class Town:
    """What runs. The clock stands at the real time it was built, since signatures carry it."""

    settings: Settings
    clock: FrozenClock
    sandbox: Sandbox
    app: Flask
    base: str
    faults: list[str] = field(default_factory=list)
    _stop: list[Callable[[], None]] = field(default_factory=list)

    @classmethod
    def build(cls, settings: Settings) -> "Town":
        clock = FrozenClock(datetime.now(UTC).replace(microsecond=0))
        sandbox = Sandbox(":memory:", now=clock.now)
        sandbox_server = _serve(sandbox)
        # The port must be known before the application is made: mails carry its address.
        holder: list[WSGIApplication] = []
        web_server = _serve(lambda environ, start: holder[0](environ, start))  # noqa: PLW0108
        base = f"http://localhost:{web_server.server_port}"
        settings = replace(
            settings,
            base_url=base,
            demo=True,
            stripe_api_base=f"http://127.0.0.1:{sandbox_server.server_port}",
        )
        app = create_app(settings, clock)
        # Scripts are asked for once, not with each page: nobody changes them meanwhile.
        app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 3600
        holder.append(app)
        faults = _noted_by(app)
        stop = [web_server.shutdown, sandbox_server.shutdown, sandbox.close]
        return cls(settings, clock, sandbox, app, base, faults, stop)

    def close(self) -> None:
        for stop in self._stop:
            stop()
        with self.app.app_context():
            db.engine.dispose()

    def settle(self) -> None:
        """Deliver webhooks, carry out the outbox and do what is due, until nothing is left."""
        for _ in range(MOST_ROUNDS):
            tried = drain(self.app, self.clock.now())
            sweep(self.app, self.clock.now())
            if not tried and not self.sandbox.deliver(self.post_webhook):
                return
        raise AssertionError("the world does not come to rest")

    def mails_to(self, address: str) -> list[Mail]:
        """The mails somebody has got, newest last."""
        self.settle()
        with self.app.app_context():
            wanted = sa.select(KeptMail).where(was_sent_to(address)).order_by(KeptMail.id)
            kept = db.session.scalars(wanted)
            return [Mail(one.to, one.subject, one.body, one.attachment) for one in kept]

    def link_in_last_mail_to(self, address: str) -> str:
        mails = self.mails_to(address)
        assert mails, f"nobody wrote to {address}"
        link = LINK.search(mails[-1].body)
        assert link, mails[-1].body
        return link.group().rstrip(".")

    def post_webhook(self, body: bytes, headers) -> int:  # type: ignore[no-untyped-def]
        answer = self.app.test_client().post("/webhooks/stripe", data=body, headers=dict(headers))
        return answer.status_code


def _noted_by(app: Flask) -> list[str]:
    """Where each error that became the page for errors is told in full."""
    faults: list[str] = []

    def note(error: Exception) -> object:
        faults.append("".join(traceback.format_exception(error)))
        return errors._unexpected(error)

    app.register_error_handler(Exception, note)
    return faults


def _serve(application: WSGIApplication) -> BaseWSGIServer:
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet)
    threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    ).start()
    return server
