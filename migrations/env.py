"""Runs migrations over the connection that the caller hands in (see core/migrating.py)."""

from alembic import context

from core.migrating import models_metadata

config = context.config


def run() -> None:
    context.configure(
        connection=config.attributes["connection"],
        target_metadata=models_metadata(),
        render_as_batch=True,
        compare_type=True,
        include_object=config.attributes.get("include_object"),
    )
    with context.begin_transaction():
        context.run_migrations()


run()
