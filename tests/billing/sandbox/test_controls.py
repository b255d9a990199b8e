"""Commands over HTTP, for tests that drive the sandbox as a process of its own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
import stripe

from billing.sandbox.controls import COMMANDS
from tests.billing.sandbox.conftest import SECRET, client_of, open_session
from tests.conftest import PATIENCE

ROOT = Path(__file__).parents[3]


@pytest.fixture
def command(sandbox, address):
    def send(name: str, **data) -> requests.Response:
        return requests.post(
            f"{address}/sandbox/{name}", data, auth=(sandbox.api_key, ""), timeout=10
        )

    return send


@pytest.mark.parametrize("name", [*COMMANDS, "nonsense"])
def test_no_command_works_without_the_key(address, name):
    answer = requests.post(f"{address}/sandbox/{name}", auth=("sk_test_wrong", ""), timeout=10)
    assert answer.status_code == 401
    assert requests.get(f"{address}/sandbox/state", timeout=10).status_code == 401


def test_commands_reach_what_they_name(client, sandbox, command, address, receiver):
    session = open_session(client)
    sandbox.pay(session.id)

    assert command("hold").json() == {"done": True}
    assert sandbox.deliver(receiver) == []
    assert command("drop", type="charge.succeeded").json() == {"dropped": 1}
    assert command("repeat", type="checkout.session.completed").json() == {"queued": 1}
    command("order", order="reverse")
    command("release")
    sandbox.deliver(receiver)
    assert receiver.types == [
        "checkout.session.completed",
        "checkout.session.completed",
        "payment_intent.succeeded",
        "payment_intent.created",
    ]


def test_time_faults_and_ends_can_be_commanded(client, sandbox, command, address):
    session, other = open_session(client), open_session(client)
    assert command("expire", session=other.id).json() == {"status": "expired"}
    command("fail-next", kind="500", path="/v1/charges", times=1)
    with pytest.raises(stripe.APIError):
        client.v1.charges.list()
    assert client.v1.charges.list().data == []

    command("advance", seconds=24 * 3600)
    assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"
    state = requests.get(f"{address}/sandbox/state", auth=(sandbox.api_key, ""), timeout=10)
    assert [event["type"] for event in state.json()["events"]] == ["checkout.session.expired"] * 2


@pytest.mark.parametrize(
    ("name", "data", "status"),
    [
        ("nonsense", {}, 404),
        ("hold", {"colour": "red"}, 400),
        ("order", {"order": "sideways"}, 400),
        ("advance", {}, 400),
        ("advance", {"seconds": "soon"}, 400),
        ("fail-next", {"kind": "429", "applied": "true"}, 400),
        ("expire", {"session": "cs_test_none"}, 404),
    ],
)
def test_a_command_that_makes_no_sense_is_refused(command, name, data, status):
    answer = command(name, **data)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


class Process:
    """`python -m billing.sandbox` on a free port."""

    def __init__(self, state: Path) -> None:
        options = f"--port 0 --state {state} --webhook-url http://127.0.0.1:9/"
        secrets = f"--webhook-secret {SECRET} --api-key sk_test_process"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "billing.sandbox", *options.split(), *secrets.split()],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        line = self._process.stdout.readline()
        assert line.startswith("sandbox listening on "), line
        self.client = client_of("sk_test_process", line.split()[-1])

    def end(self, by: signal.Signals) -> int:
        self._process.send_signal(by)
        code = self._process.wait(PATIENCE)
        self._process.stdout.close()
        return code


def test_what_was_answered_survives_a_sudden_end(tmp_path):
    process = Process(tmp_path / "s")
    session = open_session(process.client)
    process.client.raw_request(
        "post", f"/v1/payment_pages/{session.id}/confirm", payment_method="pm_card_visa"
    )
    process.end(signal.SIGKILL)

    process = Process(tmp_path / "s")
    found = process.client.v1.checkout.sessions.retrieve(session.id)
    events = process.client.v1.events.list().data
    assert found.payment_status == "paid"
    assert events[0].type == "checkout.session.completed"
    assert process.end(signal.SIGTERM) == 0
