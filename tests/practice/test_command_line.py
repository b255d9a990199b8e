"""The command line as a person meets it: exit codes, and one line that says what to mend."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from practice.cli import main

ROOT = Path(__file__).parents[2]
CLIENT = {"place": "US-WA", "on": "2026-12-01"}


@pytest.fixture
def attune(tmp_path, own_database_url):
    """Runs the console script as a process of its own."""
    environment = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(tmp_path / "data"),
        "DATABASE_URL": own_database_url,
    }

    def run(*arguments, typed="", **settings):
        return subprocess.run(
            [sys.executable, "-m", "practice.cli", *arguments],
            env=environment | settings,
            cwd=ROOT,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


@pytest.fixture
def called(tmp_path, monkeypatch, capsys):
    """Calls the console script here; for calls that end before the application is made."""

    def call(*arguments, **settings):
        for name, value in {"DATA_DIR": str(tmp_path / "data"), **settings}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["attune", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, end.value.code or 0, said.out, said.err)

    return call


def the_line(done, code):
    """What a command that ended with `code` said, when it is the one line it should be."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith("attune: ")
    return line.removeprefix("attune: ")


@pytest.mark.parametrize(
    ("arguments", "mentions"),
    [
        (["nonsense"], "nonsense"),
        (["run", "--quickly"], "--quickly"),
        (["npi"], "CHECK"),
        (["match"], "CLIENT.json"),
        (["match", "nowhere.json"], "nowhere.json"),
        (["score", "phq-8", "--csv", "in.csv", "--out", "out.csv"], "phq-8"),
        (["score", "phq-9", "--csv", "nowhere.csv", "--out", "out.csv"], "nowhere.csv"),
        (["seed", "--clients", "-1"], "--clients"),
        (["create-admin"], "EMAIL"),
        (["db", "sideways"], "sideways"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_a_wrong_call_ends_with_one_line_and_two(called, arguments, mentions):
    assert mentions in the_line(called(*arguments), 2)


@pytest.mark.parametrize(
    "setting",
    [
        {"PORT": "eighty"},
        {"DATABASE_URL": "mysql://host/name"},
        {"DATA_DIR": "/dev/null/data"},
        {"ZONE": "Mars/Olympus"},
    ],
    ids=lambda setting: next(iter(setting)),
)
def test_a_setting_that_cannot_be_used_ends_with_one_line_and_two(called, setting):
    assert next(iter(setting)) in the_line(called("db", "upgrade", **setting), 2)


def test_a_database_that_is_away_ends_with_one_line_and_two(called):
    address = "postgresql+psycopg://me:canary@127.0.0.1:1/name"
    line = the_line(called("db", "upgrade", DATABASE_URL=address), 2)
    assert line.startswith("the database cannot be used")
    assert "canary" not in line


def test_a_database_without_tables_is_said_to_be_behind(attune, tmp_path):
    (tmp_path / "client.json").write_text(json.dumps(CLIENT))
    line = the_line(attune("match", str(tmp_path / "client.json")), 2)
    assert "attune db upgrade" in line


def test_asking_for_nothing_shows_what_there_is_and_ends_with_two(called):
    done = called()
    assert done.returncode == 2
    for command in "run worker seed score match npi create-admin db".split():
        assert f"\n  {command} " in done.stderr


def test_asking_for_help_ends_well(called):
    assert called("--help").returncode == 0
    assert called("db", "-h").returncode == 0


def test_a_negative_answer_ends_with_one(called):
    done = called("npi", "1234567893", "1234567890")
    assert done.returncode == 1
    assert done.stderr == ""


def test_the_schema_is_brought_up_to_date_as_often_as_asked_and_the_first_person_made(attune):
    for _ in range(2):
        assert attune("db", "upgrade").stdout == "The database is up to date.\n"
    made = attune(
        *"create-admin ada@example.org --password-stdin".split(),
        typed="lantern-moss-harbour\n",
    )
    assert made.returncode == 0, made.stderr
    again = attune(
        *"create-admin ADA@example.org --password-stdin".split(),
        typed="lantern-moss-harbour\n",
    )
    assert the_line(again, 2)


def test_a_database_with_people_in_it_is_not_seeded(attune):
    small = "seed --clients 3 --therapists 3 --groups 2".split()
    assert attune(*small).stdout == "3 therapists, 2 groups and 3 clients were added.\n"
    assert "people already" in the_line(attune(*small), 2)
