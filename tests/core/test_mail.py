"""Mails leave through the outbox, once, to a mail server or into the demo's post box."""

import ipaddress
import smtplib
import ssl
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from core.clock import SystemClock
from core.config import MailTls, Settings
from core.database import db, unit_of_work
from core.mail import Attachment, KeptMail, UnsafeMailServer, deliver_mail, send_mail
from core.outbox import FIRST_WAIT, OutboxMessage, drain
from tests.builders.sealed import opened
from tests.conftest import NOW
from tests.ports import free_port


class Sink:
    """Takes every mail, or refuses as often as it is told to."""

    def __init__(self):
        self.mails = []
        self.signed_in = []
        self.refusals = 0

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        if self.refusals:
            self.refusals -= 1
            return "451 not now"
        self.mails.append((envelope, message_from_bytes(envelope.content, policy=policy.default)))
        return "250 taken"

    def authenticate(self, _server, _session, _envelope, mechanism, data):
        self.signed_in.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=True)


@pytest.fixture
def serve(app):
    """Starts a mail server and points the application to it; returns its sink.

    Without another word the application takes it for a relay on this machine, in the clear.
    """
    settings: Settings = app.extensions["settings"]
    running = []

    def start(who="", tls=MailTls.none, **options):
        sink = Sink()
        port = free_port()
        options.setdefault("authenticator", sink.authenticate)
        running.append(Controller(sink, hostname="127.0.0.1", port=port, **options))
        running[-1].start()
        url = f"smtp://{who}127.0.0.1:{port}"
        app.extensions["settings"] = replace(settings, smtp_url=url, mail_tls=tls)
        return sink

    yield start
    app.extensions["settings"] = settings
    for controller in running:
        controller.stop(no_assert=True)


def post_mail(app, *, key="one", to="sam@example.test", attachment=None):
    with app.app_context(), unit_of_work() as session:
        send_mail(
            session,
            to=to,
            subject="Something is waiting for you – 待",
            body="Sign in at http://localhost/sign-in",
            dedupe_key=key,
            at=NOW,
            attachment=attachment,
        )


def kept(app):
    with app.app_context():
        return opened(db.session.scalars(sa.select(KeptMail)))


def test_without_a_mail_server_mails_are_kept(app):
    post_mail(app, attachment=Attachment("a.ics", "text/calendar", "BEGIN:VCALENDAR"))
    assert kept(app) == []
    drain(app, NOW)
    [mail] = kept(app)
    assert (mail.to, mail.subject) == ("sam@example.test", "Something is waiting for you – 待")
    assert (mail.body, mail.attachment) == (
        "Sign in at http://localhost/sign-in",
        "BEGIN:VCALENDAR",
    )


def test_the_same_mail_is_sent_once(app):
    post_mail(app)
    drain(app, NOW)
    post_mail(app)
    drain(app, NOW)
    assert len(kept(app)) == 1


def test_a_mail_arrives_as_it_was_written(app, serve):
    sink = serve()
    post_mail(app, attachment=Attachment("meeting.ics", "text/calendar", "BEGIN:VCALENDAR ü"))
    drain(app, NOW)
    [(envelope, message)] = sink.mails
    assert envelope.rcpt_tos == ["sam@example.test"]
    assert message["From"] == app.extensions["settings"].mail_from
    assert message["Subject"] == "Something is waiting for you – 待"
    assert message.get_body().get_content().strip() == "Sign in at http://localhost/sign-in"
    [attachment] = message.iter_attachments()
    assert attachment.get_content_type() == "text/calendar"
    assert attachment.get_filename() == "meeting.ics"
    assert attachment.get_payload(decode=True).decode() == "BEGIN:VCALENDAR ü"
    assert kept(app) == []


def test_a_mail_names_its_day_and_itself_but_not_the_machine(app, serve):
    sink = serve()
    post_mail(app)
    drain(app, NOW)
    [(_, message)] = sink.mails
    assert message["Date"].datetime == NOW
    assert message["Message-ID"].endswith("@localhost>")


def test_a_server_that_is_away_costs_a_wait_and_no_mail(app, serve):
    sink = serve()
    sink.refusals = 1
    post_mail(app)
    drain(app, NOW)
    assert sink.mails == []
    drain(app, NOW + FIRST_WAIT)
    drain(app, NOW + FIRST_WAIT * 2)
    assert len(sink.mails) == 1


@pytest.fixture
def known_server(tmp_path, monkeypatch):
    """TLS for a mail server whose certificate this machine trusts, for the host it is given."""

    def make(host="127.0.0.1"):
        path = tmp_path / f"{host}.pem"
        path.write_bytes(certificate(host))
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(path)
        return context

    return make


def certificate(host):
    """A key and a certificate that vouches for itself, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    address = x509.IPAddress(ipaddress.ip_address(host))
    today = SystemClock().now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private + made.public_bytes(serialization.Encoding.PEM)


def test_with_tls_and_a_certificate_that_is_the_servers_a_mail_arrives(app, serve, known_server):
    sink = serve("me:secret@", MailTls.required, tls_context=known_server())
    post_mail(app)
    drain(app, NOW)
    assert len(sink.mails) == 1
    assert sink.signed_in == [("me", "secret")]


@pytest.mark.parametrize("who", ["", "me:secret@"])
def test_whoever_takes_tls_out_of_the_greeting_is_told_nothing(app, serve, who):
    sink = serve(who, MailTls.required, auth_require_tls=False)
    post_mail(app)
    drain(app, NOW)
    assert (sink.mails, sink.signed_in) == ([], [])
    assert failure(app) == UnsafeMailServer.__name__


@pytest.mark.parametrize("who", ["", "me:secret@"])
def test_a_certificate_of_another_host_is_told_nothing(app, serve, known_server, who):
    sink = serve(who, MailTls.required, tls_context=known_server("127.0.0.2"))
    post_mail(app)
    drain(app, NOW)
    assert (sink.mails, sink.signed_in) == ([], [])
    assert failure(app) == "SSLCertVerificationError"


def test_a_certificate_that_nobody_vouches_for_is_told_nothing(
    app, serve, known_server, monkeypatch
):
    tls = known_server()
    monkeypatch.delenv("SSL_CERT_FILE")
    sink = serve("", MailTls.required, tls_context=tls)
    post_mail(app)
    drain(app, NOW)
    assert sink.mails == []
    assert failure(app) == "SSLCertVerificationError"


def test_a_password_is_never_sent_in_the_clear(app, serve):
    """Not even where the settings were put together by something else than the environment."""
    sink = serve("me:secret@", auth_require_tls=False)
    post_mail(app)
    drain(app, NOW)
    assert sink.signed_in == []
    assert sink.mails == []
    assert failure(app) == UnsafeMailServer.__name__


def test_over_tls_name_and_password_arrive_as_they_are_meant(app, monkeypatch):
    """In an address `@` and `/` are written as %40 and %2F."""
    server = SecureServer()
    monkeypatch.setattr(smtplib, "SMTP_SSL", server.connect)
    settings = app.extensions["settings"]
    url = "smtps://me%40example.org:pass%2Fword@mail.example.org:465"
    app.extensions["settings"] = replace(settings, smtp_url=url)
    try:
        with app.app_context():
            deliver_mail({"to": "sam@example.test", "subject": "Hello", "body": "Hello"})
    finally:
        app.extensions["settings"] = settings
    assert server.signed_in == ("me@example.org", "pass/word")
    assert server.context.verify_mode is ssl.CERT_REQUIRED
    assert server.context.check_hostname


class SecureServer:
    """As much of smtplib's server as a mail needs, behind TLS."""

    def connect(self, _host, _port, timeout, context):
        self.context = context
        self.sock = ssl.SSLSocket.__new__(ssl.SSLSocket)
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        return None

    def ehlo(self):
        return None

    def login(self, name, password):
        self.signed_in = (name, password)

    def send_message(self, message):
        self.message = message


@pytest.mark.parametrize("to", ["sam@example.test\nBcc: eve@example.test", "a@b\r\n.\r\nMAIL"])
def test_an_address_cannot_add_headers_or_people(app, serve, to):
    sink = serve()
    post_mail(app, to=to)
    drain(app, NOW)
    assert sink.mails == []
    assert failure(app) == "ValueError"


def failure(app):
    with app.app_context():
        return db.session.scalar(sa.select(OutboxMessage.last_error))
