"""A PostgreSQL of our own for a test run: in a temporary folder, on a Unix socket only."""

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

OWNER = "postgres"


@dataclass(frozen=True)
class Cluster:
    """A running server; `address` is the folder of its socket."""

    address: str

    @classmethod
    def start(cls, *, fsync: bool = False) -> "Cluster":
        folder = Path(tempfile.mkdtemp(prefix="attune-postgres-"))
        cluster = cls(str(folder))
        if os.getuid() == 0:
            owner = pwd.getpwnam(OWNER)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        cluster._run("initdb", "-D", f"{folder}/data", "-A", "trust", "-U", "app", "--no-sync")
        options = f"-c listen_addresses='' -k {folder} -c max_connections=300"
        if not fsync:
            options += " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
        (folder / "options").write_text(options)
        cluster.come_back()
        return cluster

    def stop(self) -> None:
        self.go_away()
        shutil.rmtree(self.address, ignore_errors=True)

    def go_away(self) -> None:
        """Stop as in a crash, with everybody's work under way; what was committed is there."""
        self._run("pg_ctl", "-D", f"{self.address}/data", "-m", "immediate", "stop")

    def come_back(self) -> None:
        """Returns once connections are let in."""
        options = Path(self.address, "options").read_text()
        # Without a log file of its own a piped start never ends.
        log = f"{self.address}/log"
        data = f"{self.address}/data"
        self._run("pg_ctl", "-w", "-t", "300", "-D", data, "-l", log, "-o", options, "start")

    def create_database(self, *, like: str = "template1") -> str:
        """Make a database, an empty one unless `like` names another; returns its DATABASE_URL.

        Nobody may be connected to the other one.
        """
        name = f"test_{uuid.uuid4().hex}"
        with psycopg.connect(f"host={self.address} user=app dbname=postgres", autocommit=True) as c:
            c.execute(f'CREATE DATABASE "{name}" TEMPLATE "{like}"')
        return f"postgresql+psycopg://app@/{name}?host={self.address}"

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(_programs() / program), *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd="/tmp",
            **_as_owner(),
        )
        if done.returncode:
            pytest.exit(f"PostgreSQL: {program} failed: {done.stderr.strip()[-400:]}", 2)


def dump(url: str) -> str:
    """Everything in one of our databases, as statements."""
    made = make_url(url)
    asked = [str(_programs() / "pg_dump"), "--inserts", "--no-owner", "--username", "app"]
    place = ["--host", str(made.query["host"]), str(made.database)]
    return subprocess.run([*asked, *place], capture_output=True, text=True, check=True).stdout


def _as_owner() -> dict[str, Any]:
    """The server refuses to run as root."""
    if os.getuid() != 0:
        return {}
    owner = pwd.getpwnam(OWNER)
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path is None:
        pytest.exit("PostgreSQL's server is not installed: apt-get install postgresql", 2)
    return Path(on_path).parent
