"""`attune audit`: export, verify and check the ledger, and its signing key."""

import sys
from pathlib import Path

import click
from flask.cli import with_appcontext

from core import exporting, verifying
from core.checking import Report
from core.clock import now
from core.database import db, unit_of_work
from core.ledger import seal_now
from core.signing import KeyHasChanged, published_keys, rotate
from core.verifying import Broken, Checkpoint, Unreadable
from practice.oversight.ledger import checking as ledger

FILE = click.Path(path_type=Path, dir_okay=False)


@click.group("audit")
def audit_group() -> None:
    """The ledger of who did what: export it, verify it offline, hold the database against it."""


@audit_group.command("export")
@click.argument("file", type=FILE)
@with_appcontext
def export_command(file: Path) -> None:
    """Seal what waits and write the ledger to FILE. Exit 1 when a row is not what was sealed."""
    seal_now(now())
    try:
        export = exporting.write_export(db.session(), file)
    except OSError as error:
        raise WrongUse(f"{file} cannot be written: {error.strerror}") from None
    if export is None:
        raise Negative("nothing has happened yet, so there is no ledger")
    click.echo(f"{export.checkpoint.size} acts, sealed {export.checkpoint.at}.")
    click.echo(f"Root {export.checkpoint.root.hex()}, signed with key {export.checkpoint.key}.")
    if export.differing:
        acts = ", ".join(map(str, export.differing[:20]))
        raise Negative(f"rows that are not what was sealed, so FILE will not verify: acts {acts}")


@audit_group.command("verify")
@click.argument("file")
@click.option("--key", multiple=True, help="The published key: 64 hex digits, or a file.")
@click.option("--since", help="An older export that must be the beginning of this one.")
def verify_command(file: str, key: tuple[str, ...], since: str | None) -> None:
    """Verify an export, or the signed copy of a consent, offline.

    Exit 1 says where it is broken, 2 that it cannot be read.
    """
    try:
        click.echo(verifying.report(file, key, since))
    except Broken as broken:
        click.echo(f"BROKEN: {broken}")
        sys.exit(1)
    except Unreadable as unreadable:
        raise WrongUse(str(unreadable)) from None


@audit_group.command("check")
@click.option("--since", type=FILE, help="An older export that must be the beginning of today's.")
@with_appcontext
def check_command(since: Path | None) -> None:
    """Hold every row of the database against the ledger. Exit 1 names what is not as sealed."""
    older = _older(since) if since else None
    seal_now(now())
    report = ledger.check(db.session(), older)
    for sentence in report.findings:
        click.echo(f"NOT AS SEALED: {sentence}")
    if not report.holds:
        raise Negative(f"{_times(report)} in a ledger of {report.size} acts")
    click.echo(f"Every row is as it was sealed: {report.size} acts.")


@audit_group.command("key")
@with_appcontext
def key_command() -> None:
    """Print the public keys that have signed the ledger, the one in use first."""
    for key in published_keys(db.session()):
        state = f"until {key.retired_at:%Y-%m-%d}" if key.retired_at else "in use"
        click.echo(f"{key.public}  {key.key}  since {key.made_at:%Y-%m-%d}, {state}")


@audit_group.command("rotate-key")
@with_appcontext
def rotate_key_command() -> None:
    """Sign with a new key from now on; the old one announces it in the ledger."""
    at = now()
    try:
        with unit_of_work() as session:
            key = rotate(session, at)
    except KeyHasChanged as refusal:
        raise Negative(refusal.message) from None
    seal_now(at)
    click.echo(f"The ledger is signed with key {key.id} from now on. Publish: {key.public.hex()}")


class Negative(click.ClickException):
    exit_code = 1


class WrongUse(click.ClickException):
    exit_code = 2


def _older(path: Path) -> Checkpoint:
    """The checkpoint of an older export, once the file itself holds."""
    try:
        with path.open("rb") as file:
            keys = [bytes.fromhex(key.public) for key in published_keys(db.session())]
            return verifying.verify(file, keys).checkpoint
    except OSError as error:
        raise WrongUse(f"{path} cannot be read: {error.strerror}") from None
    except Unreadable as unreadable:
        raise WrongUse(str(unreadable)) from None
    except Broken as broken:
        raise Negative(f"the older export itself is broken: {broken}") from None


def _times(report: Report) -> str:
    return (
        "1 thing is not as sealed" if report.number == 1 else f"{report.number} are not as sealed"
    )
