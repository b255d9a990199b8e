"""Where tests have their databases: empty ones, and copies of one that was filled before."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest
import sqlalchemy as sa

from core.database import sqlite_file
from core.migrating import upgrade
from tests.postgres import Cluster


class Databases(Protocol):
    def empty(self) -> str:
        """Make a database without tables; returns its DATABASE_URL."""

    def copy_of(self, url: str) -> str:
        """Make a database like this one of ours, to which nobody may be connected."""


@dataclass(frozen=True)
class Files:
    """SQLite: each database in a folder of its own."""

    folders: pytest.TempPathFactory

    def empty(self) -> str:
        return f"sqlite:///{self.folders.mktemp('database') / 'attune.sqlite3'}"

    def copy_of(self, url: str) -> str:
        copy = self.empty()
        source, target = sqlite_file(url), sqlite_file(copy)
        assert isinstance(source, Path)
        assert isinstance(target, Path)
        assert not source.with_name(f"{source.name}-wal").exists(), "somebody is connected to it"
        shutil.copy(source, target)
        return copy


@dataclass(frozen=True)
class Served:
    """PostgreSQL: databases of one cluster."""

    cluster: Cluster

    def empty(self) -> str:
        return self.cluster.create_database()

    def copy_of(self, url: str) -> str:
        return self.cluster.create_database(like=sa.make_url(url).database or "")


def migrated(databases: Databases) -> str:
    """A database with the newest schema and no row, for others to be copied from."""
    url = databases.empty()
    upgrade(sa.create_engine(url, poolclass=sa.NullPool))
    if file := sqlite_file(url):
        file.chmod(0o600)
    return url
