"""`attune export` and `attune erase`: a client's rights, carried out by who runs the machine."""

import os
import sys
import uuid
from pathlib import Path
from typing import NoReturn

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from core.clock import now
from core.database import db, unit_of_work
from core.errors import Refusal
from practice.accounts.commands import Unusable
from practice.accounts.models import Client
from practice.accounts.queries import user_with
from practice.privacy import operations
from practice.privacy.exporting import files_of
from practice.privacy.presenting import plan_of
from practice.privacy.queries import client_with

NEGATIVE = 1


@click.command("export")
@click.argument("client", metavar="CLIENT")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@with_appcontext
def export_command(client: str, folder: Path) -> None:
    """Write everything that is kept about CLIENT into DIR, which must be new or empty.

    CLIENT is an e-mail address or a reference (public id). Exit 1 if there is no such client, 2 if
    DIR cannot be used.
    """
    _check(folder)
    found = _client(db.session(), client)
    with unit_of_work() as session:
        operations.record_copy(session, _client(session, client), None, now())
    with current_app.test_request_context():
        files = list(files_of(db.session(), _client(db.session(), client), now()))
    for name, text in files:
        _write(folder / name, text)
    click.echo(f"{len(files)} files about {found.public_id} are in {folder}.")


@click.command("erase")
@click.argument("client", metavar="CLIENT")
@click.option("--yes", is_flag=True, help="Do not ask to type the reference.")
@with_appcontext
def erase_command(client: str, yes: bool) -> None:
    """Forget CLIENT: end what goes on, erase what may go, lock away what the law keeps.

    CLIENT is an e-mail address or a reference (public id). Shows what would happen and asks to
    type the reference. Exit 1 if there is no such client or they cannot be erased.
    """
    found = _client(db.session(), client)
    reference = found.public_id
    _tell_plan(found)
    if not yes and _typed() != str(reference):
        _stop("that is not the reference; nothing was erased")
    with unit_of_work() as session:
        try:
            request = operations.erase(session, _client(session, client), None, now())
        except Refusal as refusal:
            _stop(refusal.message)
        done = request.public_id
    click.echo(f"Erased. The reference of this erasure is {done}.")


def _tell_plan(client: Client) -> None:
    plan = plan_of(db.session(), client, now())
    click.echo(f"Client {client.public_id}")
    for words in plan.ends:
        click.echo(f"  ends: {words}")
    for line in plan.going:
        click.echo(f"  goes: {line.holding.heading}")
    for stay in plan.staying:
        until = f" until {stay.until:%Y-%m-%d}" if stay.until else ""
        click.echo(f"  stays: {stay.heading}{until}: {stay.because}")


def _typed() -> str:
    typed: str = click.prompt("Type the reference to erase", default="", show_default=False)
    return typed.strip()


def _client(session: Session, named: str) -> Client:
    try:
        found = _by_name(session, named)
    except (OperationalError, ProgrammingError):
        raise Unusable(
            "the database cannot be read; `attune db upgrade` brings it up to date"
        ) from None
    if found is None:
        _stop("there is no client with this address or reference")
    return found


def _by_name(session: Session, named: str) -> Client | None:
    if "@" in named:
        user = user_with(session, named)
        return user.client if user else None
    try:
        return client_with(session, uuid.UUID(named))
    except ValueError:
        raise Unusable("CLIENT must be an e-mail address or a reference") from None


def _check(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        used = any(folder.iterdir())
    except OSError as error:
        raise Unusable(f"{folder} cannot be used: {error.strerror}") from None
    if used:
        raise Unusable(f"{folder} is not empty")


def _write(path: Path, text: str) -> None:
    """Readable by its owner alone."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _stop(words: str) -> NoReturn:
    click.echo(f"attune: {words}", err=True)
    sys.exit(NEGATIVE)
