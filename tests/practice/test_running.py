"""`attune run` keeps web, worker and sandbox going, and stops them all."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.config import settings_from
from practice import supervisor
from practice.cli import main
from practice.supervisor import KeepsFailing, children_of, supervise
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
# Far longer than anything here takes on the slowest machine.
PATIENCE = 300
pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")


@pytest.fixture
def place(tmp_path, own_file_url):
    port, sandbox_port = free_port(), free_port()
    return {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": own_file_url,
        "PORT": str(port),
        "SANDBOX_PORT": str(sandbox_port),
        "WEB_WORKERS": "1",
    }


def start(place):
    return subprocess.Popen(
        [sys.executable, "-m", "practice.cli", "run"],
        env=place,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_children_that_are_killed_come_back_and_all_end_together(place):
    running = start(place)
    try:
        until(lambda: is_well(place))
        first = children_named(running.pid)
        assert set(first) == {"web", "worker", "sandbox"}
        for process in first.values():
            os.kill(process, signal.SIGKILL)
        until(lambda: set(children_named(running.pid).values()).isdisjoint(first.values()))
        until(lambda: set(children_named(running.pid)) == set(first) and is_well(place))
        everyone = descendants(running.pid)
        running.terminate()
        _, said = running.communicate(timeout=PATIENCE)
    finally:
        end(running)
    assert running.returncode == 0, said
    assert said.count("ended; starting it again") == 3
    until(lambda: not any(is_running(process) for process in everyone))


@pytest.mark.parametrize("setting", ["PORT", "SANDBOX_PORT"])
def test_a_port_in_use_is_said_in_one_line_before_anything_is_touched(
    place, setting, tmp_path, monkeypatch, capsys
):
    empty = f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    for name, value in {**place, "DATABASE_URL": empty}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["attune", "run"])
    monkeypatch.setattr(supervisor, "supervise", lambda _settings: pytest.fail("it runs"))
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", int(place[setting])))
        somebody.listen()
        with pytest.raises(SystemExit) as end:
            main()
    said = capsys.readouterr()
    assert end.value.code == 2
    assert said.out == ""
    [line] = said.err.splitlines()
    assert f"port {place[setting]}: address already in use" in line
    assert has_no_tables(empty)


def test_a_child_that_always_fails_is_given_up_and_the_others_stop(place, monkeypatch, capfd):
    failing = supervisor.Child("web", [sys.executable, "-c", "raise SystemExit(3)"])
    lasting = supervisor.Child("worker", [sys.executable, "-c", "import time; time.sleep(600)"])
    monkeypatch.setattr(supervisor, "children_of", lambda _settings: [lasting, failing])
    monkeypatch.setattr(supervisor, "RESTART_PAUSE", 0)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with pytest.raises(KeepsFailing, match="web"):
            supervise(settings_from(place))
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert lasting.has_ended()
    again = capfd.readouterr().err.count("web ended; starting it again")
    assert again == supervisor.MOST_FAILURES - 1


def test_with_a_real_key_there_is_no_sandbox(place):
    assert [child.name for child in children_of(settings_from(place))] == [
        "sandbox",
        "web",
        "worker",
    ]
    real = place | {"STRIPE_API_KEY": "sk_live_1", "STRIPE_WEBHOOK_SECRET": "whsec_1"}
    assert [child.name for child in children_of(settings_from(real))] == ["web", "worker"]


def until(holds: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Other processes cannot be waited for: they are asked until it holds."""
    end_at = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end_at, "it never came to that"
        time.sleep(0.05)


def is_well(place) -> bool:
    try:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{place['PORT']}/health", timeout=30
        ) as answer:
            return answer.status == 200
    except OSError:
        return False


def has_no_tables(address: str) -> bool:
    engine = sa.create_engine(address)
    try:
        return sa.inspect(engine).get_table_names() == []
    finally:
        engine.dispose()


def children_named(pid: int) -> dict[str, int]:
    """The supervisor's own children that run, by what they are."""
    words = {"gunicorn": "web", "practice.cli worker": "worker", "billing.sandbox": "sandbox"}
    return {
        name: child
        for child in children(pid)
        for word, name in words.items()
        if word in command_of(child)
    }


def children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def descendants(pid: int) -> list[int]:
    return [one for child in children(pid) for one in (child, *descendants(child))]


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def is_running(pid: int) -> bool:
    return bool(command_of(pid))


def end(running) -> None:
    if running.poll() is None:
        os.killpg(running.pid, signal.SIGKILL)
        running.communicate(timeout=PATIENCE)
