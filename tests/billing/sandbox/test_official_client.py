"""The sandbox seen from outside: Stripe's own command line pays a session."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def stripe_cli(tmp_path_factory) -> Path:
    """The official client, installed for this run alone. Fails in one line where it cannot be."""
    folder = tmp_path_factory.mktemp("stripe-cli")
    npm = shutil.which("npm") or pytest.fail("npm is needed to install @stripe/cli", pytrace=False)
    installed = subprocess.run(
        [npm, "install", "--no-save", "--no-audit", "--no-fund", "--prefix", folder, "@stripe/cli"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    binary = folder / "node_modules/.bin/stripe"
    if installed.returncode or not binary.exists():
        pytest.fail("npm could not install @stripe/cli", pytrace=False)
    return binary


@pytest.mark.prove
@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        ("checkout.session.completed", "checkout.session.completed"),
        ("checkout.session.expired", "checkout.session.expired"),
        ("payment_intent.payment_failed", "payment_intent.payment_failed"),
        ("charge.refunded", "charge.refunded"),
    ],
)
def test_the_official_client_triggers_events_in_the_sandbox(
    stripe_cli, sandbox, address, receiver, tmp_path, trigger, expected
):
    run = subprocess.run(
        [stripe_cli, "trigger", trigger, "--api-base", address, "--api-key", sandbox.api_key],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ | {"HOME": str(tmp_path)},
    )
    sandbox.deliver(receiver)

    assert run.returncode == 0, run.stderr
    assert "Trigger succeeded" in run.stdout
    assert expected in receiver.types
