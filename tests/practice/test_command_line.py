"""The command line as a person meets it: exit codes, and one line that says what to mend."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from flask.cli import ScriptInfo

from practice.cli import APPLICATION, cli, main

ROOT = Path(__file__).parents[2]
CLIENT = {"place": "US-WA", "on": "2026-12-01"}
ADMINISTRATOR = "create-admin ada@example.org --password-stdin".split()
PASSWORD = "lantern-moss-harbour\n"


@pytest.fixture
def attune(tmp_path, own_file_url):
    """Runs the console script as a process of its own."""
    environment = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(tmp_path / "data"),
        "DATABASE_URL": own_file_url,
    }

    def run(*arguments, typed=""):
        return subprocess.run(
            [sys.executable, "-m", "practice.cli", *arguments],
            env=environment,
            cwd=ROOT,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def called(tmp_path, monkeypatch, capsys):
    """Calls the console script here, which saves it a second of imports."""

    def call(*arguments, typed="", **settings):
        for name, value in {"DATA_DIR": str(tmp_path / "data"), **settings}.items():
            monkeypatch.setenv(name, value)
        fresh = ScriptInfo(create_app=APPLICATION.create_app, set_debug_flag=False)
        monkeypatch.setitem(cli.context_settings, "obj", fresh)
        monkeypatch.setattr(sys, "argv", ["attune", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
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


def test_a_database_without_tables_is_said_to_be_behind(called, own_database_url, tmp_path):
    (tmp_path / "client.json").write_text(json.dumps(CLIENT))
    done = called("match", str(tmp_path / "client.json"), DATABASE_URL=own_database_url)
    assert "attune db upgrade" in the_line(done, 2)


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


def test_the_schema_is_brought_up_to_date_as_often_as_asked(called, own_database_url):
    for _ in range(2):
        done = called("db", "upgrade", DATABASE_URL=own_database_url)
        assert done.stdout == "The database is up to date.\n"


def test_the_first_person_is_made_once(attune, called, own_file_url):
    made = attune(*ADMINISTRATOR, typed=PASSWORD)
    assert made.returncode == 0, made.stderr
    again = called(
        *(word.replace("ada", "ADA") for word in ADMINISTRATOR),
        typed=PASSWORD,
        DATABASE_URL=own_file_url,
    )
    assert the_line(again, 2)


def test_a_database_with_people_in_it_is_not_seeded(called, own_migrated_url):
    small = "seed --clients 3 --therapists 3 --groups 2".split()
    seeded = called(*small, DATABASE_URL=own_migrated_url)
    assert seeded.stdout == "3 therapists, 2 groups and 3 clients were added.\n"
    assert "people already" in the_line(called(*small, DATABASE_URL=own_migrated_url), 2)
