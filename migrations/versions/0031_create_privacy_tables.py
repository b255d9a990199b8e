"""Wishes to be forgotten, the register of erasures, what stays and why, holds and runs."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

WAITS = sa.text("done_at IS NULL AND cancelled_at IS NULL")
STANDS = sa.text("lifted_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "erasures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner", sa.Uuid(), nullable=False),
        sa.Column("realm", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
        sa.UniqueConstraint("owner", "realm", name=op.f("uq_erasures_owner_realm")),
    )
    op.create_table(
        "erasure_requests",
        sa.Column("client_ref", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("complete_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure_requests")),
        sa.UniqueConstraint("public_id", name=op.f("uq_erasure_requests_public_id")),
    )
    op.create_index("ix_erasure_requests_client_ref", "erasure_requests", ["client_ref"])
    op.create_index("ix_erasure_requests_due_at", "erasure_requests", ["due_at"])
    op.create_index(
        "uq_erasure_requests_waiting_client_ref",
        "erasure_requests",
        ["client_ref"],
        unique=True,
        sqlite_where=WAITS,
        postgresql_where=WAITS,
    )
    op.create_table(
        "restrictions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("holding", sa.String(length=40), nullable=False),
        sa.Column(
            "because",
            sa.Enum(
                "clinical_record",
                "consent_proof",
                "payment_record",
                "open_payment",
                "open_flag",
                "legal_hold",
                name="because",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_restrictions_client_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_restrictions")),
        sa.UniqueConstraint(
            "client_id",
            "holding",
            "because",
            name=op.f("uq_restrictions_client_id_holding_because"),
        ),
    )
    op.create_table(
        "legal_holds",
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("placed_by_id", sa.Integer(), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by_id", sa.Integer(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_legal_holds_client_id")
        ),
        sa.ForeignKeyConstraint(
            ["placed_by_id"], ["users.id"], name=op.f("fk_legal_holds_placed_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["lifted_by_id"], ["users.id"], name=op.f("fk_legal_holds_lifted_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_holds")),
        sa.UniqueConstraint("public_id", name=op.f("uq_legal_holds_public_id")),
    )
    op.create_index(
        "uq_legal_holds_standing_client_id",
        "legal_holds",
        ["client_id"],
        unique=True,
        sqlite_where=STANDS,
        postgresql_where=STANDS,
    )
    op.create_table(
        "retention_runs",
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("gone", sa.Text(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["users.id"], name=op.f("fk_retention_runs_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_runs")),
        sa.UniqueConstraint("public_id", name=op.f("uq_retention_runs_public_id")),
    )
    op.create_index("ix_retention_runs_at", "retention_runs", ["at"])


def downgrade() -> None:
    op.drop_table("retention_runs")
    op.drop_table("legal_holds")
    op.drop_table("restrictions")
    op.drop_table("erasure_requests")
    op.drop_table("erasures")
