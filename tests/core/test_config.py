"""Settings are used or refused by name; a secret is never shown."""

import stat
import threading

import pytest

from core.config import BadSetting, MailTls, settings_from
from tests.conftest import PATIENCE


def read(tmp_path, **environment):
    return settings_from({"DATA_DIR": str(tmp_path / "data"), **environment})


def test_nothing_has_to_be_set(tmp_path):
    settings = read(tmp_path)
    assert settings.port == 8000
    assert settings.sandbox_port == 8001
    assert settings.base_url == "http://localhost:8000"
    assert settings.uses_sandbox
    assert settings.stripe_api_base == "http://127.0.0.1:8001"
    assert settings.database_url == f"sqlite:///{tmp_path}/data/attune.sqlite3"
    assert not settings.served_over_tls


def test_an_empty_setting_is_one_that_is_not_set(tmp_path):
    names = "PORT ZONE CURRENCY ORGANISATION MAIL_FROM BASE_URL SECRET_KEY STRIPE_API_KEY SMTP_URL"
    empty = dict.fromkeys(names.split(), "")
    assert read(tmp_path, **empty) == read(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "²"),
        ("PORT", "-1"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "9" * 400),
        ("SANDBOX_PORT", "70000"),
        ("WEB_WORKERS", "0"),
        ("ARGON2_TIME_COST", "0"),
        ("ARGON2_MEMORY_KIB", "7"),
        ("DATABASE_URL", "mysql://host/name"),
        ("DATABASE_URL", "sqlite:///attune.sqlite3"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "postgresql+psycopg://host:port/name"),
        ("BASE_URL", "care.example.org"),
        ("BASE_URL", "https://"),
        ("CURRENCY", "dollars"),
        ("ZONE", "Mars/Olympus"),
        ("ZONE", "../../etc/hosts"),
        ("SMTP_URL", "mail.example.org"),
        ("SMTP_URL", "smtp://mail.example.org:many"),
        ("SMTP_URL", "smtp://mail.example.org"),
        ("MAIL_TLS", "opportunistic"),
        ("MAIL_TLS", "none"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_name_in_one_line(tmp_path, name, value):
    with pytest.raises(BadSetting, match=name) as refusal:
        read(tmp_path, **{name: value})
    assert "\n" not in str(refusal.value)


def test_mail_goes_over_tls_unless_its_relay_is_on_this_machine(tmp_path):
    assert read(tmp_path, SMTP_URL="smtp://mail.example.org:25").mail_tls is MailTls.required
    for host in ("127.0.0.1", "127.1.2.3", "[::1]", "localhost"):
        here = read(tmp_path, SMTP_URL=f"smtp://{host}:25", MAIL_TLS="none")
        assert here.mail_tls is MailTls.none


@pytest.mark.parametrize(
    "server",
    [
        "smtp://mail.example.org:25",
        "smtp://10.0.0.5:25",
        "smtp://[fe80::1]:25",
        "smtp://127.0.0.1.example.org:25",
        "smtp://localhost.example.org:25",
        "smtp://me:secret@127.0.0.1:25",
        "smtps://127.0.0.1:465",
    ],
)
def test_mail_in_the_clear_goes_to_no_other_machine_and_with_no_password(tmp_path, server):
    with pytest.raises(BadSetting, match="MAIL_TLS=none") as refusal:
        read(tmp_path, SMTP_URL=server, MAIL_TLS="none")
    assert "secret" not in str(refusal.value)


def test_the_port_next_to_the_last_one_is_asked_for(tmp_path):
    with pytest.raises(BadSetting, match="SANDBOX_PORT"):
        read(tmp_path, PORT="65535")


def test_a_data_dir_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(BadSetting, match="DATA_DIR"):
        read(tmp_path)


def test_a_real_key_is_never_used_with_the_public_webhook_secret(tmp_path):
    """Anybody can read the sandbox's secret, so anybody could report a payment."""
    with pytest.raises(BadSetting, match="STRIPE_WEBHOOK_SECRET"):
        read(tmp_path, STRIPE_API_KEY="sk_live_1")
    settings = read(tmp_path, STRIPE_API_KEY="sk_live_1", STRIPE_WEBHOOK_SECRET="whsec_1")
    assert settings.stripe_webhook_secret == "whsec_1"
    assert not settings.uses_sandbox
    assert settings.stripe_api_base == ""


def test_the_secret_is_made_once_and_only_its_owner_reads_it(tmp_path):
    first = read(tmp_path).secret_key
    assert len(first) >= 40
    assert read(tmp_path).secret_key == first
    mode = (tmp_path / "data/secret_key").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secret_key"]


def test_processes_that_start_at_once_share_one_secret(tmp_path):
    together, secrets = threading.Barrier(8), []

    def start():
        together.wait(PATIENCE)
        secrets.append(read(tmp_path).secret_key)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(secrets) == 8
    assert len(set(secrets)) == 1


def test_an_empty_secret_is_refused(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/secret_key").write_text("\n")
    with pytest.raises(BadSetting, match="secret_key is empty"):
        read(tmp_path)


def test_secrets_do_not_show_when_settings_are_printed(tmp_path):
    secrets = {
        "SECRET_KEY": "canary-a",
        "STRIPE_API_KEY": "canary-b",
        "STRIPE_WEBHOOK_SECRET": "canary-c",
        "SMTP_URL": "smtp://me:canary-d@localhost:25",
        "DATABASE_URL": "postgresql+psycopg://me:canary-e@localhost/name",
    }
    assert "canary" not in repr(read(tmp_path, **secrets))
