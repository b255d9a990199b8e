"""`attune keys`: the keys that everything confidential is sealed under."""

import base64
import secrets

import click
from flask.cli import with_appcontext

from core.database import db
from core.keeping import KeptElsewhere
from core.rotation import HeldUp
from core.sealing import KEY_BYTES
from practice.oversight.keys import rotation as key_rotation


class WrongUse(click.ClickException):
    exit_code = 2


class Negative(click.ClickException):
    exit_code = 1


@click.group("keys")
def keys_group() -> None:
    """The keys that everything confidential is sealed under."""


@keys_group.command("rotate")
@click.option("--new-kek", is_flag=True, help="Make a new wrapping key first.")
@with_appcontext
def rotate_command(new_kek: bool) -> None:
    """Give everybody new data keys and seal every row again, while people go on working.

    Stopped at any point it goes on where it was when it is called again. Exit 1 when something
    did not open and was left as it is, or when somebody holds the last rows for long.
    """
    if new_kek:
        _make_wrapping_key()
    done: dict[str, int] = {}
    try:
        for progress in key_rotation.rotate():
            if progress.done or progress.step not in done:
                done[progress.step] = done.get(progress.step, 0) + progress.done
                click.echo(f"{progress.step}: {done[progress.step]}")
    except HeldUp as why:
        raise Negative(str(why)) from None
    _say_how_it_went()


@keys_group.command("status")
@with_appcontext
def status_command() -> None:
    """Say which key wraps now, and whether rows are left on old keys."""
    keys = key_rotation.standing()
    click.echo(f"wrapping key {keys.current}, data keys in use: {keys.in_use}")
    click.echo(f"wrapped by earlier keys: {keys.wrapped_by_others}")
    click.echo(f"values on old data keys: {keys.left}")
    if keys.running:
        click.echo("a rotation is not finished: attune keys rotate")


@keys_group.command("new")
def new_command() -> None:
    """Print the words of a fresh key for KEY_FILE or ENCRYPTION_KEYS."""
    click.echo(f"key:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}")


def _make_wrapping_key() -> None:
    try:
        click.echo(f"wrapping key {key_rotation.add_wrapping_key()} is current now")
    except KeptElsewhere:
        raise WrongUse(
            "the keys come from KEY_FILE or ENCRYPTION_KEYS: add one there (attune keys new), "
            "restart, and call this again without --new-kek"
        ) from None


def _say_how_it_went() -> None:
    db.session.rollback()
    last = key_rotation.standing().last
    assert last is not None
    click.echo(f"done: {last.sealed} values are under new keys")
    if last.unreadable:
        raise Negative(f"{last.unreadable} values did not open and were left as they are")
