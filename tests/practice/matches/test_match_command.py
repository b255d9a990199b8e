import json

import pytest
from click.testing import CliRunner
from flask.cli import ScriptInfo

from practice.matches.commands import match_command
from tests.builders.therapists import make_therapist

CLIENT = {
    "place": "US-WA",
    "on": "2026-12-01",
    "zone": "America/Los_Angeles",
    "concerns": {"panic": 3, "grief": 1},
    "acuity": 1,
    "payment": {"kind": "self-pay", "budget": 20000, "currency": "USD"},
    "hours": ["tue 09:00-12:00"],
}


@pytest.fixture
def match(app, session, tmp_path):
    """Runs the command on a client (or on the raw text of a file)."""
    session.commit()

    def run(client, *options):
        path = tmp_path / "client.json"
        path.write_text(client if isinstance(client, str) else json.dumps(client))
        return CliRunner().invoke(
            match_command, [str(path), *options], obj=ScriptInfo(create_app=lambda: app)
        )

    return run


@pytest.fixture
def therapists(session):
    found = [
        make_therapist(session, name="Ana Alder"),
        make_therapist(session, name="Ben Birch", skills={"panic": 1}),
        make_therapist(session, name="Far Off", places=("US-OR",)),
    ]
    session.commit()
    return found


def test_json_has_exact_points_and_who_was_left_out(match, therapists):
    answer = match(CLIENT, "--json")
    found = json.loads(answer.stdout)
    assert answer.exit_code == 0
    assert set(found) == {"results", "considered", "excluded"}
    assert [one["name"] for one in found["results"]] == ["Ana Alder", "Ben Birch"]
    assert found["considered"] == 3
    assert found["excluded"]["licence"] == 1
    for one in found["results"]:
        assert set(one) == {"id", "name", "total", "points"}
        assert one["total"] == sum(one["points"].values())


def test_the_limit_limits(match, therapists):
    assert len(json.loads(match(CLIENT, "--json", "--limit", "1").stdout)["results"]) == 1


def test_without_json_it_reads_as_a_table(match, therapists):
    lines = match(CLIENT).stdout.splitlines()
    assert lines[0].split()[0] == "1"
    assert "Ana Alder" in lines[0]
    assert lines[-1] == "3 looked at; left out by licence 1."


def test_nobody_is_an_answer(match):
    answer = match(CLIENT)
    assert answer.exit_code == 0
    assert "Nobody fits." in answer.stdout


@pytest.mark.parametrize(
    ("client", "words"),
    [
        ("not json", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ({"on": "2026-12-01"}, "place: is missing"),
        ({**CLIENT, "colour": "blue"}, "colour: is not a known field"),
        ({**CLIENT, "concerns": {"panic": 4}}, "concerns.panic"),
        ({**CLIENT, "languages": ["tlh"]}, "languages: holds an unknown code"),
        ({**CLIENT, "hours": ["tue 21:00-18:00"]}, "hours"),
        (
            {**CLIENT, "place": "US-ZZ"},
            "place: 'US-ZZ' is not a place here; write one such as US-WA",
        ),
        ('{"place": "US-WA", "on": "2026-12-01", "place": "US-OR"}', '"place" is given twice'),
        ('{"place": "US-WA", "concerns": {"panic": 1, "panic": 3}}', '"panic" is given twice'),
        ({**CLIENT, "two\nlines": 1}, "is not a known field"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(match, client, words):
    answer = match(client)
    assert answer.exit_code == 2
    assert answer.stdout == ""
    assert answer.stderr.startswith("attune: ")
    assert words in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


def test_a_file_that_is_not_there_is_one_line_too(app):
    run = CliRunner().invoke(
        match_command, ["nowhere.json"], obj=ScriptInfo(create_app=lambda: app)
    )
    assert run.exit_code == 2
    assert len(run.stderr.splitlines()) == 1
