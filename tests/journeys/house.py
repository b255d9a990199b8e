"""The real processes: sandbox, web server and worker, each of which can be killed at any moment."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from core.config import SANDBOX_API_KEY, Settings
from practice.supervisor import Child, children_of

READY_WITHIN = 300.0
LOOK_EVERY = 0.05


@dataclass
class House:
    """What `attune run` starts, over one database. The sandbox stays; web and worker may die."""

    settings: Settings
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @classmethod
    def over(cls, database_url: str, folder: Path) -> "House":
        port, sandbox_port = free_port(), free_port()
        settings = Settings(
            data_dir=folder,
            database_url=database_url,
            secret_key="a secret for tests",
            base_url=f"http://localhost:{port}",
            demo=True,
            port=port,
            sandbox_port=sandbox_port,
            stripe_api_base=f"http://127.0.0.1:{sandbox_port}",
            argon2_time_cost=1,
            argon2_memory_kib=8,
        )
        return cls(settings)

    @property
    def base(self) -> str:
        return self.settings.base_url

    def migrate(self) -> None:
        command = [sys.executable, "-m", "practice.cli", "db", "upgrade"]
        subprocess.run(command, env=self._environment(), check=True, capture_output=True)

    def start(self, *names: str) -> None:
        """Start these children, in groups of their own so that nothing outlives a kill."""
        for child in children_of(self.settings):
            if child.name in names:
                self._running[child.name] = self._started(child)

    def _started(self, child: Child) -> subprocess.Popen[bytes]:
        log = (self.settings.data_dir / f"{child.name}.log").open("ab")
        with log:
            return subprocess.Popen(
                child.command,
                env=self._environment(),
                start_new_session=True,
                stdout=log,
                stderr=log,
            )

    def kill(self, *names: str) -> None:
        """`kill -9` of everything that these children are made of, at once."""
        for name in names:
            os.killpg(self._running[name].pid, signal.SIGKILL)
        for name in names:
            self._running.pop(name).wait()

    def stop(self) -> None:
        self.kill(*self._running)

    def wait_until_open(self) -> None:
        for name, address in (("web", self.base), ("sandbox", self.settings.stripe_api_base)):
            wait_for(lambda address=address: answers(f"{address}/"), self._last_words_of(name))

    def _last_words_of(self, name: str) -> Callable[[], str]:
        log = self.settings.data_dir / f"{name}.log"
        return lambda: f"{name} does not answer; it said: {log.read_text()[-2000:]}"

    def bank(self, path: str) -> Any:
        """What the sandbox knows; `path` such as "/v1/charges?limit=100"."""
        answer = requests.get(
            self.settings.stripe_api_base + path, auth=(SANDBOX_API_KEY, ""), timeout=10
        )
        answer.raise_for_status()
        return answer.json()

    def _environment(self) -> dict[str, str]:
        settings = self.settings
        return os.environ | {
            "DATA_DIR": str(settings.data_dir),
            "DATABASE_URL": settings.database_url,
            "SECRET_KEY": settings.secret_key,
            "BASE_URL": settings.base_url,
            "PORT": str(settings.port),
            "SANDBOX_PORT": str(settings.sandbox_port),
            "DEMO": "1",
            "ARGON2_TIME_COST": "1",
            "ARGON2_MEMORY_KIB": "8",
        }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=5).status_code < 600
    except requests.RequestException:
        return False


def wait_for(
    happened: Callable[[], bool],
    otherwise: str | Callable[[], str],
    within: float = READY_WITHIN,
) -> None:
    """Look again and again until it has happened, but not for ever."""
    until = time.monotonic() + within
    while not happened():
        if time.monotonic() > until:
            raise AssertionError(otherwise if isinstance(otherwise, str) else otherwise())
        time.sleep(LOOK_EVERY)
