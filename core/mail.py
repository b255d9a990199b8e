"""Mail goes through the outbox. Words are neutral: a mail says that something waits, never what."""

import smtplib
import ssl
from dataclasses import asdict, dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import now
from core.config import MailTls, Settings, current_settings
from core.database import Base, Identified, unit_of_work
from core.encryption import Realm, blind_index, sealed_text
from core.outbox import post


class UnsafeMailServer(RuntimeError):
    """The mail server offers no TLS, or somebody on the way to it says that it does not."""


@dataclass(frozen=True)
class Attachment:
    name: str
    media_type: str
    text: str


class KeptMail(Identified, Base):
    """A mail that was delivered to the demo's post box instead of a mail server."""

    __tablename__ = "kept_mails"

    sent_at: Mapped[datetime] = mapped_column(index=True)
    to_index: Mapped[str | None] = mapped_column(sa.String(64), index=True)

    to = sealed_text(Realm.system, owner=None, index="to_index")
    subject = sealed_text(Realm.system, owner=None)
    body = sealed_text(Realm.system, owner=None)
    attachment = sealed_text(Realm.system, owner=None)


def send_mail(
    session: Session,
    *,
    to: str,
    subject: str,
    body: str,
    dedupe_key: str,
    at: datetime,
    attachment: Attachment | None = None,
) -> None:
    """Post a mail in the running transaction; it leaves after the commit, once per dedupe key.

    Whoever was erased has no address any more, and gets none.
    """
    if not to:
        return
    payload = {"to": to, "subject": subject, "body": body}
    if attachment is not None:
        payload["attachment"] = asdict(attachment)  # type: ignore[assignment]
    post(session, "mail", payload, dedupe_key=f"mail:{dedupe_key}", at=at)


def deliver_mail(payload: dict[str, Any]) -> None:
    """The outbox handler of mails: the mail server, or the demo's post box without one."""
    settings = current_settings()
    if settings.smtp_url:
        _send_over_smtp(settings, _message_from(settings, payload))
    else:
        _keep(payload)


def forget_address(session: Session, address: str) -> None:
    """Delete what is left of mails to this address, save those that are still to leave."""
    # A sent one's work was forgotten when it was done (`core.outbox`).
    for kept in session.scalars(sa.select(KeptMail).where(was_sent_to(address))):
        session.delete(kept)
    session.flush()


def was_sent_to(address: str) -> sa.ColumnElement[bool]:
    """A clause over `KeptMail`: addresses are sealed, so they are found by their blind index."""
    return KeptMail.to_index == blind_index("to", address)


def _keep(payload: dict[str, Any]) -> None:
    attachment = payload.get("attachment") or {}
    with unit_of_work() as session:
        session.add(
            KeptMail(
                sent_at=now(),
                to=payload["to"],
                subject=payload["subject"],
                body=payload["body"],
                attachment=attachment.get("text", ""),
            )
        )


def _message_from(settings: Settings, payload: dict[str, Any]) -> EmailMessage:
    message = EmailMessage()
    message["From"] = settings.mail_from
    message["To"] = payload["to"]
    message["Subject"] = payload["subject"]
    message["Date"] = format_datetime(now())
    message["Message-ID"] = make_msgid(domain=urlsplit(settings.base_url).hostname)
    message.set_content(payload["body"])
    if attachment := payload.get("attachment"):
        main, sub = attachment["media_type"].split("/")
        message.add_attachment(
            attachment["text"].encode(), maintype=main, subtype=sub, filename=attachment["name"]
        )
    return message


def _send_over_smtp(settings: Settings, message: EmailMessage) -> None:
    """smtp://user:password@host:port, or smtps:// for TLS from the first byte.

    Not a word about anybody goes out before TLS and a certificate that is the server's; what
    somebody on the way takes out of the greeting (RFC 3207, section 6) changes nothing.
    """
    parts = urlsplit(settings.smtp_url)
    with _server(parts) as server:
        server.ehlo()
        if parts.scheme == "smtp" and settings.mail_tls is MailTls.required:
            _begin_tls(server)
        if parts.username:
            _sign_in(server, parts)
        server.send_message(message)


def _server(parts: SplitResult) -> smtplib.SMTP:
    host, port = parts.hostname or "localhost", parts.port or 25
    if parts.scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=10, context=ssl.create_default_context())
    return smtplib.SMTP(host, port, timeout=10)


def _begin_tls(server: smtplib.SMTP) -> None:
    if not server.has_extn("starttls"):
        raise UnsafeMailServer
    server.starttls(context=ssl.create_default_context())


def _sign_in(server: smtplib.SMTP, parts: SplitResult) -> None:
    if not isinstance(server.sock, ssl.SSLSocket):
        raise UnsafeMailServer
    server.login(unquote(parts.username or ""), unquote(parts.password or ""))
