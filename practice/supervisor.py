"""One process that starts the others: web, worker and, until a real key is set, the sandbox."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from types import FrameType

from core.config import Settings

GRACE = 10.0
RESTART_PAUSE = 1.0


@dataclass
class Child:
    """A process that is started again if it ends by itself."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(self.command, env=environment)

    def has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None


def children_of(settings: Settings) -> list[Child]:
    children = [Child("web", _web(settings)), Child("worker", _attune("worker"))]
    if settings.uses_sandbox:
        children.insert(0, Child("sandbox", _sandbox(settings)))
    return children


def supervise(settings: Settings) -> None:
    """Start every child and keep them running until a signal to stop arrives."""
    children = children_of(settings)
    environment = os.environ | _environment_of(settings)
    stopping = _stop_on_signals()
    for child in children:
        child.start(environment)
    while not stopping:
        time.sleep(0.2)
        for child in children:
            if child.has_ended() and not stopping:
                print(f"{child.name} ended; starting it again", file=sys.stderr, flush=True)
                time.sleep(RESTART_PAUSE)
                child.start(environment)
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
    workers = os.environ.get("WEB_WORKERS", "2")
    return [
        *(sys.executable, "-m", "gunicorn", "practice.wsgi:app"),
        *("--bind", f"127.0.0.1:{settings.port}", "--workers", workers, "--threads", "4"),
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
