"""`attune seed`: a world of any size, for trying and for measuring."""

import click

from core.clock import now
from core.config import settings_from
from core.database import db, unit_of_work
from core.migrating import upgrade


@click.command("seed")
@click.option("--clients", default=40, type=click.IntRange(0), show_default=True)
@click.option("--therapists", default=60, type=click.IntRange(0), show_default=True)
@click.option("--groups", default=14, type=click.IntRange(0), show_default=True)
@click.option("--seed", default=2026, show_default=True, help="The same seed, the same world.")
def seed_command(clients: int, therapists: int, groups: int, seed: int) -> None:
    """Add an invented world to an empty database."""
    from practice.app import create_app
    from practice.matches.operations import ensure_weights
    from practice.seed.demo import is_empty
    from practice.seed.paying import pay_for_seats
    from practice.seed.world import Size, make_world

    settings = settings_from()
    with create_app(settings).app_context():
        upgrade(db.engine)
        if not is_empty():
            raise click.UsageError("the database has people already; choose another DATA_DIR")
        with unit_of_work() as session:
            ensure_weights(session, now())
            world = make_world(session, settings, Size(therapists, groups, clients), seed, now())
        pay_for_seats(now())
    made = f"{len(world.therapists)} therapists, {len(world.groups)} groups"
    click.echo(f"{made} and {len(world.clients)} clients were added.")
