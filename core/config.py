"""Settings, read once from the environment. Each one is described in docs/reference/settings.md."""

import enum
import ipaddress
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import current_app

DEFAULT_DATA_DIR = Path(__file__).parent.parent / "var"
SANDBOX_API_KEY = "sk_test_attune_sandbox"
SANDBOX_WEBHOOK_SECRET = "whsec_attune_sandbox"


class BadSetting(ValueError):
    """A setting that cannot be used; the message says which and what to mend."""


class MailTls(enum.StrEnum):
    """What stands between us and the mail server."""

    required = "required"
    none = "none"


@dataclass(frozen=True)
class Settings:
    """What an installation can choose. Amounts are minor units, durations seconds."""

    data_dir: Path
    database_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    base_url: str = "http://localhost:8000"
    demo: bool = False
    organisation: str = "Attune"
    currency: str = "USD"
    zone: str = "America/Los_Angeles"
    smtp_url: str = field(default="", repr=False)
    mail_tls: MailTls = MailTls.required
    redis_url: str = field(default="", repr=False)
    mail_from: str = "Attune <no-reply@localhost>"
    security_contact: str = ""
    stripe_api_key: str = field(default=SANDBOX_API_KEY, repr=False)
    stripe_webhook_secret: str = field(default=SANDBOX_WEBHOOK_SECRET, repr=False)
    stripe_api_base: str = ""
    port: int = 8000
    sandbox_port: int = 8001
    web_workers: int = 2
    trusted_proxies: int = 0
    key_file: str = ""
    backup_dir: Path | None = None
    backup_keep: int = 7
    encryption_keys: str = field(default="", repr=False)
    argon2_time_cost: int = 3
    argon2_memory_kib: int = 65536

    @property
    def uses_sandbox(self) -> bool:
        """Whether payments go to the local sandbox: so it is until a real key is set."""
        return self.stripe_api_key == SANDBOX_API_KEY

    @property
    def served_over_tls(self) -> bool:
        return self.base_url.startswith("https://")


def current_settings() -> Settings:
    """The settings of the running application."""
    settings: Settings = current_app.extensions["settings"]
    return settings


def settings_from(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; raises BadSetting naming the first one that cannot be used."""
    data_dir = _data_dir(environment)
    port = _port(environment, "PORT", 8000)
    sandbox_port = _port(environment, "SANDBOX_PORT", port + 1)
    stripe_api_key = environment.get("STRIPE_API_KEY") or SANDBOX_API_KEY
    return Settings(
        data_dir=data_dir,
        database_url=_database_url(environment, data_dir),
        secret_key=environment.get("SECRET_KEY") or _kept_secret(data_dir),
        base_url=_base_url(environment, port),
        demo=environment.get("DEMO", "") == "1",
        organisation=environment.get("ORGANISATION") or "Attune",
        currency=_currency(environment),
        zone=_zone(environment),
        smtp_url=_smtp_url(environment),
        mail_tls=_mail_tls(environment),
        redis_url=_redis_url(environment),
        mail_from=environment.get("MAIL_FROM") or "Attune <no-reply@localhost>",
        security_contact=_security_contact(environment),
        stripe_api_key=stripe_api_key,
        stripe_webhook_secret=_webhook_secret(environment, stripe_api_key),
        stripe_api_base=environment.get("STRIPE_API_BASE")
        or _api_base(stripe_api_key, sandbox_port),
        port=port,
        sandbox_port=sandbox_port,
        web_workers=_whole_number(environment, "WEB_WORKERS", 2),
        trusted_proxies=_whole_number(environment, "TRUSTED_PROXIES", 0, least=0),
        key_file=environment.get("KEY_FILE", ""),
        backup_dir=_backup_dir(environment),
        backup_keep=_whole_number(environment, "BACKUP_KEEP", 7),
        encryption_keys=environment.get("ENCRYPTION_KEYS", ""),
        argon2_time_cost=_whole_number(environment, "ARGON2_TIME_COST", 3),
        argon2_memory_kib=_whole_number(environment, "ARGON2_MEMORY_KIB", 65536, least=8),
    )


def _data_dir(environment: Mapping[str, str]) -> Path:
    path = Path(environment.get("DATA_DIR") or DEFAULT_DATA_DIR).resolve()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BadSetting(f"DATA_DIR {path} cannot be used: {error.strerror}") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise BadSetting(f"DATA_DIR {path} cannot be written to")
    return path


def _backup_dir(environment: Mapping[str, str]) -> Path | None:
    text = environment.get("BACKUP_DIR", "")
    if text and not Path(text).is_dir():
        raise BadSetting(f"BACKUP_DIR {text} is not a folder")
    return Path(text).resolve() if text else None


def _database_url(environment: Mapping[str, str], data_dir: Path) -> str:
    url = environment.get("DATABASE_URL") or f"sqlite:///{data_dir / 'attune.sqlite3'}"
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise BadSetting("DATABASE_URL must begin with sqlite:/// or postgresql+psycopg://")
    try:
        named = sa.make_url(url)
    except (ValueError, sa.exc.ArgumentError):
        raise BadSetting("DATABASE_URL is not a complete address") from None
    if named.get_backend_name() == "sqlite" and not Path(named.database or "").is_absolute():
        # Else it would depend on who asks which file it is: the pages, or a restore.
        raise BadSetting("DATABASE_URL must name the file from the root: sqlite:////folder/file")
    return url


def _base_url(environment: Mapping[str, str], port: int) -> str:
    url = environment.get("BASE_URL") or f"http://localhost:{port}"
    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
        raise BadSetting("BASE_URL must be an address such as https://care.example.org")
    return url.rstrip("/")


def _currency(environment: Mapping[str, str]) -> str:
    code = environment.get("CURRENCY") or "USD"
    if not re.fullmatch("[A-Z]{3}", code):
        raise BadSetting("CURRENCY must be three capital letters, such as USD")
    return code


def _zone(environment: Mapping[str, str]) -> str:
    name = environment.get("ZONE") or "America/Los_Angeles"
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise BadSetting("ZONE must be a time zone such as America/New_York") from None
    return name


def _smtp_url(environment: Mapping[str, str]) -> str:
    url = environment.get("SMTP_URL", "")
    parts = urlsplit(url)
    try:
        usable = not url or (parts.scheme in {"smtp", "smtps"} and parts.hostname and parts.port)
    except ValueError:
        usable = False
    if not usable:
        raise BadSetting("SMTP_URL must look like smtp://user:password@host:587")
    return url


def _mail_tls(environment: Mapping[str, str]) -> MailTls:
    """Without TLS only to a relay on this machine, and only what needs no password."""
    word = environment.get("MAIL_TLS") or MailTls.required
    if word not in set(MailTls):
        raise BadSetting("MAIL_TLS must be required or none")
    server = urlsplit(_smtp_url(environment))
    if word == MailTls.none and not _takes_mail_in_the_clear(server):
        raise BadSetting(
            "MAIL_TLS=none needs an SMTP_URL like smtp://127.0.0.1:25, on this machine"
        )
    return MailTls(word)


def _takes_mail_in_the_clear(server: SplitResult) -> bool:
    is_here = server.scheme == "smtp" and _is_loopback(server.hostname or "")
    return is_here and not (server.username or server.password)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _security_contact(environment: Mapping[str, str]) -> str:
    """An address as security.txt wants it (RFC 9116): a URI without blanks."""
    contact = environment.get("SECURITY_CONTACT", "")
    if contact and not re.fullmatch(r"(mailto:[^\s@]+@[^\s@]+|https://[^\s/]+\S*)", contact):
        raise BadSetting("SECURITY_CONTACT must be mailto:someone@example.org or https://…")
    return contact


def _redis_url(environment: Mapping[str, str]) -> str:
    url = environment.get("REDIS_URL", "")
    if url and not url.startswith(("redis://", "rediss://", "unix://")):
        raise BadSetting("REDIS_URL must look like redis://host:6379/0")
    return url


def _webhook_secret(environment: Mapping[str, str], stripe_api_key: str) -> str:
    """The sandbox's own secret is public: with a real key it would let anyone report payments."""
    secret = environment.get("STRIPE_WEBHOOK_SECRET", "")
    if not secret and stripe_api_key != SANDBOX_API_KEY:
        raise BadSetting("STRIPE_API_KEY needs the STRIPE_WEBHOOK_SECRET that belongs to it")
    return secret or SANDBOX_WEBHOOK_SECRET


def _api_base(stripe_api_key: str, sandbox_port: int) -> str:
    """Where payments are asked for: the sandbox's address, or "" for the company's own."""
    return f"http://127.0.0.1:{sandbox_port}" if stripe_api_key == SANDBOX_API_KEY else ""


def _port(environment: Mapping[str, str], name: str, default: int) -> int:
    return _whole_number(environment, name, default, most=65535)


def _whole_number(
    environment: Mapping[str, str],
    name: str,
    default: int,
    *,
    least: int = 1,
    most: int = 2**31 - 1,
) -> int:
    text = environment.get(name) or str(default)
    if not re.fullmatch("[0-9]{1,10}", text):
        raise BadSetting(f"{name} must be a whole number, not {text!r}")
    if not least <= int(text) <= most:
        raise BadSetting(f"{name} must be from {least} to {most}, not {text}")
    return int(text)


def _kept_secret(data_dir: Path) -> str:
    """The secret of this installation, made once and readable by its owner alone."""
    path = data_dir / "secret_key"
    if not path.exists():
        _make_secret(path)
    if secret := path.read_text().strip():
        return secret
    raise BadSetting(f"{path} is empty; remove it, and everybody signs in once more")


def _make_secret(path: Path) -> None:
    """Written in full before it gets its name: two processes that start at once share one."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent) as file:
        file.write(secrets.token_urlsafe(48))
        file.flush()
        os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(file.name, path)
