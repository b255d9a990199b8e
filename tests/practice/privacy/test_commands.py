"""`attune export` and `attune erase`: by address or reference, one line for what goes wrong."""

import json
import uuid
from pathlib import Path

import click
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from flask import Flask
from flask.cli import ScriptInfo

from core.audit import AuditEntry
from core.database import db, unit_of_work
from practice.care.queries import openings_of
from practice.cli import cli
from practice.intake.models import Intake
from practice.privacy.models import ErasureRequest
from practice.privacy.queries import client_with
from tests.builders.matches import make_seeker

STORY = "I lie awake and cannot stop going over the same thing."


@pytest.fixture
def seeker(app: Flask) -> tuple[str, uuid.UUID]:
    """A client's address and reference."""
    with app.app_context(), unit_of_work() as session:
        client = make_seeker(session)
        return client.user.email, client.public_id


def run(app: Flask, *arguments: str, typed: str = "") -> Result:
    script = ScriptInfo(create_app=lambda: app, set_debug_flag=False)
    return CliRunner().invoke(cli, list(arguments), obj=script, input=typed)


@pytest.mark.parametrize("by", ["address", "reference"])
def test_an_export_is_written_for_its_owner_alone(
    app: Flask, seeker: tuple[str, uuid.UUID], tmp_path: Path, by: str
) -> None:
    folder = tmp_path / "copy"
    named = seeker[0].upper() if by == "address" else str(seeker[1])
    result = run(app, "export", named, str(folder))
    assert result.exit_code == 0, result.output
    assert json.loads((folder / "data.json").read_text())["reference"] == str(seeker[1])
    assert STORY in (folder / "your-data.html").read_text()
    assert len(list((folder / "consents").iterdir())) == 2
    for path in folder.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    with app.app_context():
        made = sa.select(AuditEntry).where(AuditEntry.action == "copy.viewed")
        assert db.session.scalars(made).one().actor_id is None
        # Nobody takes a copy unseen.
        client = client_with(db.session(), seeker[1])
        assert client is not None
        [line] = openings_of(client)
        assert line.who_label == "Whoever runs the server"
        assert line.reason_label == "A copy of everything was asked for"


@pytest.mark.parametrize("command", ["export", "erase"])
@pytest.mark.parametrize(
    ("named", "code"),
    [("nobody@example.test", 1), (str(uuid.UUID(int=1)), 1), ("no such thing", 2)],
)
def test_nobody_of_that_name_is_one_line(
    app: Flask, tmp_path: Path, command: str, named: str, code: int
) -> None:
    folder = [str(tmp_path / "copy")] if command == "export" else []
    result = run(app, command, named, *folder)
    assert exit_code(result) == code
    if code == 1:
        assert result.stderr == "attune: there is no client with this address or reference\n"


def exit_code(result: Result) -> int:
    error = result.exception
    return error.exit_code if isinstance(error, click.ClickException) else result.exit_code


def test_a_folder_that_has_something_in_it_is_refused(
    app: Flask, seeker: tuple[str, uuid.UUID], tmp_path: Path
) -> None:
    (tmp_path / "something").write_text("here")
    assert exit_code(run(app, "export", seeker[0], str(tmp_path))) == 2
    assert exit_code(run(app, "export", seeker[0], str(tmp_path / "something"))) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["something"]


def test_erasing_shows_what_would_happen_and_asks_for_the_reference(
    app: Flask, seeker: tuple[str, uuid.UUID]
) -> None:
    refused = run(app, "erase", seeker[0], typed="yes\n")
    assert exit_code(refused) == 1
    assert "goes: Your answers" in refused.output
    assert "stays: What you agreed to until 2032-12-01" in refused.output
    with app.app_context():
        assert db.session.scalars(sa.select(Intake.id)).all()
    done = run(app, "erase", seeker[0], typed=f"{seeker[1]}\n")
    assert exit_code(done) == 0, done.output
    with app.app_context():
        assert db.session.scalars(sa.select(Intake.id)).all() == []
        request = db.session.scalars(sa.select(ErasureRequest)).one()
        assert str(request.public_id) in done.output
    # The address is nobody's any more; the reference still finds what had to stay.
    assert exit_code(run(app, "erase", seeker[0], "--yes")) == 1
    again = run(app, "erase", str(seeker[1]), "--yes")
    assert exit_code(again) == 0
    assert str(request.public_id) in again.output
