"""create credentials tables"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "decisions",
        sa.Column("subject_kind", sa.String(length=20), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("therapist_id", sa.Integer(), nullable=False),
        sa.Column("from_state", sa.String(length=40), nullable=False),
        sa.Column("to_state", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("missing", sa.Text(), nullable=False),
        sa.Column("decided_by_id", sa.Integer(), nullable=False),
        sa.Column("confirmed_by_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["confirmed_by_id"], ["users.id"], name=op.f("fk_decisions_confirmed_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["users.id"], name=op.f("fk_decisions_decided_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["therapist_id"], ["therapists.id"], name=op.f("fk_decisions_therapist_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
        sa.UniqueConstraint("public_id", name=op.f("uq_decisions_public_id")),
    )
    with op.batch_alter_table("decisions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_decisions_subject_id"), ["subject_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_decisions_therapist_id"), ["therapist_id"], unique=False
        )

    op.create_table(
        "npi_checks",
        sa.Column("therapist_id", sa.Integer(), nullable=False),
        sa.Column("npi", sa.String(length=10), nullable=False),
        sa.Column("check_digit_valid", sa.Boolean(), nullable=False),
        sa.Column("found_name", sa.String(length=200), nullable=False),
        sa.Column("found_taxonomy", sa.String(length=200), nullable=False),
        sa.Column("same_person", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("retrieved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("looked_by_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["looked_by_id"], ["users.id"], name=op.f("fk_npi_checks_looked_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["therapist_id"], ["therapists.id"], name=op.f("fk_npi_checks_therapist_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_npi_checks")),
        sa.UniqueConstraint("public_id", name=op.f("uq_npi_checks_public_id")),
    )
    with op.batch_alter_table("npi_checks", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_npi_checks_therapist_id"), ["therapist_id"], unique=False
        )

    op.create_table(
        "reversals",
        sa.Column("subject_kind", sa.String(length=20), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("therapist_id", sa.Integer(), nullable=False),
        sa.Column("to_state", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by_id", sa.Integer(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_by_id", sa.Integer(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["answered_by_id"], ["users.id"], name=op.f("fk_reversals_answered_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["proposed_by_id"], ["users.id"], name=op.f("fk_reversals_proposed_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["therapist_id"], ["therapists.id"], name=op.f("fk_reversals_therapist_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reversals")),
        sa.UniqueConstraint("public_id", name=op.f("uq_reversals_public_id")),
    )
    with op.batch_alter_table("reversals", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_reversals_therapist_id"), ["therapist_id"], unique=False
        )
        batch_op.create_index(
            "uq_reversals_open_subject_id",
            ["subject_id"],
            unique=True,
            sqlite_where=sa.text("answered_at IS NULL"),
            postgresql_where=sa.text("answered_at IS NULL"),
        )

    op.create_table(
        "licence_checks",
        sa.Column("licence_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("source_address", sa.String(length=300), nullable=False),
        sa.Column("method", sa.String(length=40), nullable=False),
        sa.Column("retrieved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verbatim_status", sa.Text(), nullable=False),
        sa.Column("found_name", sa.String(length=200), nullable=False),
        sa.Column("found_number", sa.String(length=40), nullable=False),
        sa.Column("found_expires_on", sa.Date(), nullable=True),
        sa.Column("same_person", sa.Text(), nullable=False),
        sa.Column("discipline", sa.Boolean(), nullable=False),
        sa.Column("evidence_hash", sa.String(length=64), nullable=False),
        sa.Column("looked_by_id", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["licence_id"], ["licences.id"], name=op.f("fk_licence_checks_licence_id")
        ),
        sa.ForeignKeyConstraint(
            ["looked_by_id"], ["users.id"], name=op.f("fk_licence_checks_looked_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_licence_checks")),
        sa.UniqueConstraint("public_id", name=op.f("uq_licence_checks_public_id")),
    )
    with op.batch_alter_table("licence_checks", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_licence_checks_licence_id"), ["licence_id"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("licence_checks", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_licence_checks_licence_id"))

    op.drop_table("licence_checks")
    with op.batch_alter_table("reversals", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_reversals_open_subject_id",
            sqlite_where=sa.text("answered_at IS NULL"),
            postgresql_where=sa.text("answered_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_reversals_therapist_id"))

    op.drop_table("reversals")
    with op.batch_alter_table("npi_checks", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_npi_checks_therapist_id"))

    op.drop_table("npi_checks")
    with op.batch_alter_table("decisions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_decisions_therapist_id"))
        batch_op.drop_index(batch_op.f("ix_decisions_subject_id"))

    op.drop_table("decisions")
