"""A real Redis for a test: a process of its own on a Unix socket in a temporary folder."""

import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import redis

PATIENCE_SECONDS = 120.0
LOOK_EVERY = 0.02


@dataclass
class RedisServer:
    folder: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"unix://{self.folder / 'redis.sock'}"

    def start(self) -> None:
        program = shutil.which("redis-server")
        assert program, "redis-server is needed: tools/system-packages redis"
        self._process = subprocess.Popen(
            [program, "--port", "0", "--unixsocket", str(self.folder / "redis.sock"),
             "--save", "", "--appendonly", "no", "--dir", str(self.folder)],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        self._wait()

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _wait(self) -> None:
        asked = redis.Redis.from_url(self.url)
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                asked.ping()
                return
            except redis.ConnectionError:
                assert time.monotonic() < until, "Redis does not answer"
                time.sleep(LOOK_EVERY)
