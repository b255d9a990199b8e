"""`attune backup` and `attune restore`."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask.cli import with_appcontext

from core.backup.errors import BackupRefused
from core.backup.making import keep_newest, named_after
from core.backup.restoring import Restored
from core.clock import now
from practice.oversight.backups import operations as backups

TELL_EVERY = 2.0
FOLDER = click.Path(path_type=Path)


class Refused(click.ClickException):
    def __init__(self, refusal: BackupRefused) -> None:
        super().__init__(refusal.message)
        self.exit_code = refusal.exit_code


class BackupGroup(click.Group):
    """`attune backup DIR` makes one; what follows may also be the name of another command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or args[0] not in {*self.commands, *self.get_help_option_names(ctx)}:
            args = ["make", *args]
        return super().parse_args(ctx, args)


@click.group("backup", cls=BackupGroup, subcommand_metavar="DIR | rehearse DIR")
def backup_group() -> None:
    """Make an encrypted backup in DIR, or rehearse restoring one."""


@backup_group.command("make")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option(
    "--keep",
    type=click.IntRange(1),
    help="Put it into a folder of its own in DIR, and keep the newest KEEP.",
)
@with_appcontext
def make_command(folder: Path, keep: int | None) -> None:
    """Write a backup of the database into DIR, while others go on working.

    The keys are not in it; keep them apart from it (docs/how-to/back-up-and-restore.md).
    Exit 2 when DIR has something in it or cannot be written to.
    """
    at = now()
    into = folder / named_after(at) if keep else folder
    with _one_line():
        made = backups.make(into, at, Progress("backed up"))
    for gone in keep_newest(folder, keep) if keep else []:
        click.echo(f"{gone} is removed")
    click.echo(
        f"{made.path}: {made.rows} rows, {made.size / 1e6:.1f} MB, {made.pace}."
        " The keys are not in it."
    )


@backup_group.command("rehearse")
@click.argument("folder", metavar="DIR", type=FOLDER)
@with_appcontext
def rehearse_command(folder: Path) -> None:
    """Restore DIR into a database beside this one, check it, and let it go again.

    Needs room for a second database. Exit 1 when the backup is damaged or a check fails.
    """
    with _one_line():
        restored = backups.rehearse(folder, now(), Progress("read"))
    _report(restored, "The rehearsal went well; nothing was changed")


@click.command("restore")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--replace", is_flag=True, help="Put it in the place of a database that has rows.")
@click.option("--yes", is_flag=True, help="Do not ask before replacing.")
@with_appcontext
def restore_command(folder: Path, replace: bool, yes: bool) -> None:
    """Put the backup in DIR in the place of the database. Stop Attune first.

    Everything is verified before anything is touched, and the old database stays unless every
    check holds. Exit 2 for what cannot be used, 1 for a damaged backup or a failed check.
    """
    if replace and not yes:
        words = "What was written since the backup will be gone. Replace the database"
        click.confirm(words, abort=True, err=True)
    with _one_line():
        restored = backups.restore(folder, now(), Progress("read"), replace=replace)
    _report(restored, f"Restored from {restored.manifest.made_at}")


class Progress:
    """Says on standard error how far it is, when it takes long."""

    def __init__(self, done: str) -> None:
        self._done, self._said = done, time.monotonic()

    def __call__(self, table: str, rows: int) -> None:
        if time.monotonic() - self._said > TELL_EVERY:
            self._said = time.monotonic()
            click.echo(f"{rows} rows {self._done}, now {table}", err=True)


@contextmanager
def _one_line() -> Iterator[None]:
    """A refusal ends the command with what it says."""
    try:
        yield
    except BackupRefused as refusal:
        raise Refused(refusal) from None


def _report(restored: Restored, heading: str) -> None:
    click.echo(f"{heading}:")
    for line in restored.lines:
        click.echo(f"  {line}")
    click.echo(f"  {restored.pace}")
    if restored.warnings:
        sys.exit(1)
