"""Let a placement be set aside, where a legal hold forbids deleting it."""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

BEFORE = (
    "unplaced",
    "proposed",
    "rejected",
    "offered",
    "agreed",
    "declined",
    "lapsed",
    "withdrawn",
)
NOW = (*BEFORE, "set_aside")


def upgrade() -> None:
    _allow(BEFORE, NOW)


def downgrade() -> None:
    # Of an older proposal and undecided, as it was before: a hold forbids deleting it here, too.
    op.execute("UPDATE waiting_placements SET state = 'unplaced' WHERE state = 'set_aside'")
    _allow(NOW, BEFORE)


def _allow(before: tuple[str, ...], after: tuple[str, ...]) -> None:
    """Exchange the CHECK; on SQLite the table is written anew with it."""
    with op.batch_alter_table("waiting_placements") as batch_op:
        batch_op.alter_column(
            "state",
            existing_type=_state(before),
            type_=_state(after),
            existing_nullable=False,
        )


def _state(names: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(
        *names, name="placementstate", native_enum=False, create_constraint=True, length=40
    )
