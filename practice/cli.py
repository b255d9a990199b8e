"""The console script `attune`. A wrong call ends with one line that says what to mend, exit 2."""

import sys
from dataclasses import replace
from typing import NoReturn

import click
import sqlalchemy as sa
from flask import Flask
from flask.cli import ScriptInfo

from core.clock import now
from core.config import BadSetting, Settings, settings_from
from core.database import db, unit_of_work
from core.migrating import upgrade
from practice.accounts.commands import create_admin_command
from practice.consent.operations import ensure_documents
from practice.credentials.commands import npi_command
from practice.intake.commands import score_command
from practice.matches.commands import match_command
from practice.oversight.backups.commands import backup_group, restore_command
from practice.oversight.keys.commands import keys_group
from practice.oversight.ledger.commands import audit_group
from practice.privacy.commands import erase_command, export_command
from practice.seed.commands import seed_command

WRONG_USE = 2
# A command that needs the application asks for it with `flask.cli.with_appcontext`.
APPLICATION = ScriptInfo(create_app=lambda: _app(settings_from()), set_debug_flag=False)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "obj": APPLICATION})
def cli() -> None:
    """Attune: bring people to the right therapist."""


for command in (
    audit_group,
    backup_group,
    create_admin_command,
    erase_command,
    export_command,
    keys_group,
    match_command,
    npi_command,
    restore_command,
    score_command,
    seed_command,
):
    cli.add_command(command)


@cli.command()
@click.option("--demo", is_flag=True, help="Fill an empty database with a demo clinic.")
def run(demo: bool) -> None:
    """Bring the database up to date and start web, worker and sandbox."""
    from practice.supervisor import KeepsFailing, require_free_ports, supervise

    settings = settings_from()
    settings = replace(settings, demo=demo or settings.demo)
    require_free_ports(settings)
    _prepare(settings)
    click.echo(f"\nAttune is at {settings.base_url}   (Ctrl-C stops it)\n")
    try:
        supervise(settings)
    except KeepsFailing as failure:
        raise click.ClickException(str(failure)) from None


@cli.command()
def worker() -> None:
    """Carry out the outbox and what time makes due, until stopped."""
    from core.logs import write_to_stderr
    from practice.worker import work_until_signalled

    write_to_stderr()
    work_until_signalled(_app(settings_from()))


@cli.group("db")
def database() -> None:
    """The database's schema."""


@database.command("upgrade")
def database_upgrade() -> None:
    """Bring the schema up to date."""
    app = _app(settings_from())
    with app.app_context():
        upgrade(db.engine)
        _publish_missing_texts()
    click.echo("The database is up to date.")


def _prepare(settings: Settings) -> None:
    from practice.seed.demo import logins, seed_demo_if_empty

    app = _app(settings)
    with app.app_context():
        upgrade(db.engine)
        if settings.demo:
            seed_demo_if_empty(click.echo)
            for line in logins():
                click.echo(line)
        _publish_missing_texts()
        db.engine.dispose()


def _publish_missing_texts() -> None:
    """Nobody can agree to a text that is not published: the ones of the product stand in."""
    with unit_of_work() as session:
        ensure_documents(session, now())


def _app(settings: Settings) -> Flask:
    from practice.app import create_app

    return create_app(settings)


def main() -> None:
    """Run the command line; exit codes: 2 wrong use or unreadable input, 1 a negative answer."""
    try:
        sys.exit(cli.main(standalone_mode=False))
    except click.exceptions.NoArgsIsHelpError as nothing_asked:
        nothing_asked.show()
        sys.exit(WRONG_USE)
    except click.ClickException as error:
        _end(error.format_message(), error.exit_code)
    except BadSetting as error:
        _end(str(error), WRONG_USE)
    except sa.exc.OperationalError as error:
        # Its first line says what the server said; the rest would quote a statement.
        _end(f"the database cannot be used: {str(error.orig).splitlines()[0]}", WRONG_USE)
    except click.Abort:
        _end("stopped", WRONG_USE)


def _end(words: str, code: int) -> NoReturn:
    click.echo(f"attune: {' '.join(words.split())}", err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
