"""Create the waiting list: entries, runs, and what each run proposes for each client."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

OPEN = sa.text("left_at IS NULL")
OFFERED = sa.text("state = 'offered'")
ENDINGS = ("left", "accepted", "consent")
STATES = (
    "unplaced",
    "proposed",
    "rejected",
    "offered",
    "agreed",
    "declined",
    "lapsed",
    "withdrawn",
)


def upgrade() -> None:
    op.create_table(
        "waiting_entries",
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ending", codes("ending", *ENDINGS), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_waiting_entries_client_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiting_entries")),
        sa.UniqueConstraint("public_id", name=op.f("uq_waiting_entries_public_id")),
    )
    op.create_index("ix_waiting_entries_client_id", "waiting_entries", ["client_id"])
    op.create_index("ix_waiting_entries_joined_at", "waiting_entries", ["joined_at"])
    op.create_index(
        "uq_waiting_entries_open_client_id",
        "waiting_entries",
        ["client_id"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.create_table(
        "waiting_runs",
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by_id", sa.Integer(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("looked_at", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("weights_version", sa.Integer(), nullable=True),
        sa.Column("engine_version", sa.String(20), nullable=False),
        sa.Column("gap", sa.Double(), nullable=True),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("prices", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by_id", sa.Integer(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["users.id"], name=op.f("fk_waiting_runs_asked_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["withdrawn_by_id"], ["users.id"], name=op.f("fk_waiting_runs_withdrawn_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiting_runs")),
        sa.UniqueConstraint("public_id", name=op.f("uq_waiting_runs_public_id")),
    )
    op.create_table(
        "waiting_placements",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("therapist_id", sa.Integer(), nullable=True),
        sa.Column("state", codes("placementstate", *STATES), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("found_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["waiting_runs.id"], name=op.f("fk_waiting_placements_run_id")
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["waiting_entries.id"], name=op.f("fk_waiting_placements_entry_id")
        ),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_waiting_placements_client_id")
        ),
        sa.ForeignKeyConstraint(
            ["therapist_id"], ["therapists.id"], name=op.f("fk_waiting_placements_therapist_id")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["users.id"], name=op.f("fk_waiting_placements_decided_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiting_placements")),
        sa.UniqueConstraint("public_id", name=op.f("uq_waiting_placements_public_id")),
        sa.UniqueConstraint(
            "run_id", "entry_id", name=op.f("uq_waiting_placements_run_id_entry_id")
        ),
    )
    for column in ("entry_id", "client_id", "due_at"):
        op.create_index(f"ix_waiting_placements_{column}", "waiting_placements", [column])
    op.create_index(
        "uq_waiting_placements_offered_client_id",
        "waiting_placements",
        ["client_id"],
        unique=True,
        sqlite_where=OFFERED,
        postgresql_where=OFFERED,
    )


def downgrade() -> None:
    op.drop_table("waiting_placements")
    op.drop_table("waiting_runs")
    op.drop_table("waiting_entries")


def codes(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)
