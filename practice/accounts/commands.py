"""Commands about accounts, for `attune`."""

import sys

import click
from flask.cli import with_appcontext

from core.clock import now
from core.database import db, unit_of_work
from core.migrating import upgrade
from practice.accounts import operations, passwords
from practice.accounts.forms import address_fault


class Unusable(click.ClickException):
    """Input that cannot be used: one line, exit code 2."""

    exit_code = 2


@click.command("create-admin")
@click.argument("email", metavar="EMAIL")
@click.option("--name", default="", help="What colleagues call them.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@with_appcontext
def create_admin_command(email: str, name: str, password_stdin: bool) -> None:
    """Make an administrator with this address; the first one can only be made here.

    Asks for the password unless --password-stdin is given. Exit 2 if the address has an account
    already, or the address or the password cannot be used.
    """
    password = _password(password_stdin)
    if fault := address_fault(email) or passwords.find_fault(password, [email, name]):
        raise Unusable(fault)
    upgrade(db.engine)
    password_hash = passwords.hash_password(password)
    try:
        with unit_of_work() as session:
            operations.create_administrator(
                session, email, password_hash=password_hash, name=name, at=now()
            )
    except operations.AddressTaken as refusal:
        raise Unusable(refusal.message) from None
    click.echo(f"{email.lower()} is an administrator now and can sign in.")


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password
