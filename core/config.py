"""Settings, read once from the environment. Each one is described in docs/reference/settings.md."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_DATA_DIR = Path(__file__).parent.parent / "var"
SANDBOX_API_KEY = "sk_test_attune_sandbox"
SANDBOX_WEBHOOK_SECRET = "whsec_attune_sandbox"


class BadSetting(ValueError):
    """A setting that cannot be used; the message says which and what to mend."""


@dataclass(frozen=True)
class Settings:
    """What an installation can choose. Amounts are minor units, durations seconds."""

    data_dir: Path
    database_url: str
    secret_key: str = field(repr=False)
    base_url: str = "http://localhost:8000"
    demo: bool = False
    organisation: str = "Attune"
    currency: str = "USD"
    zone: str = "America/Los_Angeles"
    smtp_url: str = field(default="", repr=False)
    mail_from: str = "Attune <no-reply@localhost>"
    stripe_api_key: str = field(default=SANDBOX_API_KEY, repr=False)
    stripe_webhook_secret: str = field(default=SANDBOX_WEBHOOK_SECRET, repr=False)
    stripe_api_base: str = ""
    port: int = 8000
    sandbox_port: int = 8001
    argon2_time_cost: int = 3
    argon2_memory_kib: int = 65536

    @property
    def uses_sandbox(self) -> bool:
        """Whether payments go to the local sandbox: so it is until a real key is set."""
        return self.stripe_api_key == SANDBOX_API_KEY

    @property
    def served_over_tls(self) -> bool:
        return self.base_url.startswith("https://")


def settings_from(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; raises BadSetting naming the first one that cannot be used."""
    data_dir = Path(environment.get("DATA_DIR") or DEFAULT_DATA_DIR).resolve()
    port = _whole_number(environment, "PORT", 8000)
    sandbox_port = _whole_number(environment, "SANDBOX_PORT", port + 1)
    stripe_api_key = environment.get("STRIPE_API_KEY") or SANDBOX_API_KEY
    return Settings(
        data_dir=data_dir,
        database_url=_database_url(environment, data_dir),
        secret_key=environment.get("SECRET_KEY") or _kept_secret(data_dir),
        base_url=environment.get("BASE_URL", f"http://localhost:{port}").rstrip("/"),
        demo=environment.get("DEMO", "") == "1",
        organisation=environment.get("ORGANISATION", "Attune"),
        currency=environment.get("CURRENCY", "USD"),
        zone=environment.get("ZONE", "America/Los_Angeles"),
        smtp_url=environment.get("SMTP_URL", ""),
        mail_from=environment.get("MAIL_FROM", "Attune <no-reply@localhost>"),
        stripe_api_key=stripe_api_key,
        stripe_webhook_secret=environment.get("STRIPE_WEBHOOK_SECRET", SANDBOX_WEBHOOK_SECRET),
        stripe_api_base=environment.get("STRIPE_API_BASE")
        or _api_base(stripe_api_key, sandbox_port),
        port=port,
        sandbox_port=sandbox_port,
        argon2_time_cost=_whole_number(environment, "ARGON2_TIME_COST", 3),
        argon2_memory_kib=_whole_number(environment, "ARGON2_MEMORY_KIB", 65536),
    )


def _database_url(environment: Mapping[str, str], data_dir: Path) -> str:
    url = environment.get("DATABASE_URL") or f"sqlite:///{data_dir / 'attune.sqlite3'}"
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise BadSetting("DATABASE_URL must begin with sqlite:/// or postgresql+psycopg://")
    return url


def _api_base(stripe_api_key: str, sandbox_port: int) -> str:
    """Where payments are asked for: the sandbox's address, or "" for the company's own."""
    return f"http://127.0.0.1:{sandbox_port}" if stripe_api_key == SANDBOX_API_KEY else ""


def _whole_number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name) or str(default)
    if not text.isdigit():
        raise BadSetting(f"{name} must be a whole number, not {text!r}")
    return int(text)


def _kept_secret(data_dir: Path) -> str:
    """The secret of this installation, made once and readable by its owner alone."""
    data_dir.mkdir(parents=True, exist_ok=True)
    path = data_dir / "secret_key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48))
    return path.read_text().strip()
