"""One process that starts the others: web, worker and, until a real key is set, the sandbox."""

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from types import FrameType

from core.config import BadSetting, Settings

ADDRESS = "127.0.0.1"
GRACE = 10.0
RESTART_PAUSE = 1.0
# A child that fails this often within seconds of its start will not do better the next time.
AT_ONCE = 10.0
MOST_FAILURES = 5


class KeepsFailing(RuntimeError):
    """A child fails whenever it is started; the message names it."""


@dataclass
class Child:
    """A process that is started again if it ends by itself."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    started: float = 0.0
    failures: int = 0

    def start(self, environment: dict[str, str]) -> None:
        self.started = time.monotonic()
        self.process = subprocess.Popen(self.command, env=environment)

    def has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def start_again(self, environment: dict[str, str]) -> None:
        """Raises KeepsFailing when it ended with an error, at once, too many times in a row."""
        failed = self.process is not None and (self.process.returncode or 0) > 0
        at_once = time.monotonic() - self.started < AT_ONCE
        self.failures = self.failures + 1 if failed and at_once else 0
        if self.failures >= MOST_FAILURES:
            raise KeepsFailing(f"{self.name} fails whenever it is started; it said why above")
        print(f"{self.name} ended; starting it again", file=sys.stderr, flush=True)
        time.sleep(RESTART_PAUSE)
        self.start(environment)


def children_of(settings: Settings) -> list[Child]:
    children = [Child("web", _web(settings)), Child("worker", _attune("worker"))]
    if settings.uses_sandbox:
        children.insert(0, Child("sandbox", _sandbox(settings)))
    return children


def require_free_ports(settings: Settings) -> None:
    """Raises BadSetting for a port that something else listens on, or that we may not use."""
    _require_free("PORT", settings.port)
    if settings.uses_sandbox:
        _require_free("SANDBOX_PORT", settings.sandbox_port)


def _require_free(setting: str, port: int) -> None:
    with socket.socket() as asked:
        asked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            asked.bind((ADDRESS, port))
        except OSError as error:
            why = (error.strerror or "cannot be used").lower()
            raise BadSetting(f"port {port}: {why}; choose another with {setting}=") from None


def supervise(settings: Settings) -> None:
    """Start every child and keep them running until a signal to stop arrives."""
    children = children_of(settings)
    environment = os.environ | _environment_of(settings)
    stopping = _stop_on_signals()
    try:
        for child in children:
            child.start(environment)
        while not stopping:
            time.sleep(0.2)
            for child in children:
                if child.has_ended() and not stopping:
                    child.start_again(environment)
    finally:
        _stop(children)


def _stop_on_signals() -> list[int]:
    received: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        received.append(number)

    signal.signal(signal.SIGTERM, remember)
    signal.signal(signal.SIGINT, remember)
    return received


def _stop(children: list[Child]) -> None:
    running = [child.process for child in children if child.process and not child.has_ended()]
    for process in running:
        process.terminate()
    for process in running:
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()


def _environment_of(settings: Settings) -> dict[str, str]:
    return {
        "DATA_DIR": str(settings.data_dir),
        "DATABASE_URL": settings.database_url,
        "SECRET_KEY": settings.secret_key,
        "BASE_URL": settings.base_url,
        "PORT": str(settings.port),
        "SANDBOX_PORT": str(settings.sandbox_port),
        "DEMO": "1" if settings.demo else "",
    }


def _attune(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "practice.cli", *arguments]


def _web(settings: Settings) -> list[str]:
    return [
        *(sys.executable, "-m", "gunicorn", "practice.wsgi:app"),
        *("--bind", f"{ADDRESS}:{settings.port}", "--graceful-timeout", str(int(GRACE) - 2)),
        *("--workers", str(settings.web_workers), "--threads", "4"),
        *("--worker-tmp-dir", "/dev/shm" if os.path.isdir("/dev/shm") else str(settings.data_dir)),
        *("--log-level", "warning"),
    ]


def _sandbox(settings: Settings) -> list[str]:
    return [
        *(sys.executable, "-m", "billing.sandbox", "--port", str(settings.sandbox_port)),
        *("--state", str(settings.data_dir / "sandbox.sqlite3")),
        *("--webhook-url", f"http://127.0.0.1:{settings.port}/webhooks/stripe"),
        *("--webhook-secret", settings.stripe_webhook_secret),
    ]
