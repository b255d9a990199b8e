"""Keep decisions, counts and agreements about track record, and what was learned of therapists."""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

STEPS = ("proposed", "turned_on", "refused", "turned_off")


def upgrade() -> None:
    op.create_table(
        "track_record_reports",
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_track_record_reports")),
        sa.UniqueConstraint("public_id", name=op.f("uq_track_record_reports_public_id")),
    )
    op.create_index("ix_track_record_reports_made_at", "track_record_reports", ["made_at"])
    op.create_table(
        "track_record_decisions",
        sa.Column(
            "step",
            sa.Enum(
                *STEPS,
                name="trackrecordstep",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("report_id", sa.Integer(), nullable=True),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["report_id"],
            ["track_record_reports.id"],
            name=op.f("fk_track_record_decisions_report_id"),
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["users.id"], name=op.f("fk_track_record_decisions_decided_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_track_record_decisions")),
        sa.UniqueConstraint("public_id", name=op.f("uq_track_record_decisions_public_id")),
    )
    op.create_table(
        "track_record_agreements",
        sa.Column("therapist_id", sa.Integer(), nullable=False),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["therapist_id"],
            ["therapists.id"],
            name=op.f("fk_track_record_agreements_therapist_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_track_record_agreements")),
        sa.UniqueConstraint("public_id", name=op.f("uq_track_record_agreements_public_id")),
    )
    op.create_index(
        "uq_track_record_agreements_standing",
        "track_record_agreements",
        ["therapist_id"],
        unique=True,
        sqlite_where=sa.text("taken_back_at IS NULL"),
        postgresql_where=sa.text("taken_back_at IS NULL"),
    )
    op.create_table(
        "track_records",
        sa.Column("therapist_id", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("figures_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["therapist_id"], ["therapists.id"], name=op.f("fk_track_records_therapist_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_track_records")),
        sa.UniqueConstraint("public_id", name=op.f("uq_track_records_public_id")),
        sa.UniqueConstraint("therapist_id", name=op.f("uq_track_records_therapist_id")),
    )


def downgrade() -> None:
    op.drop_table("track_records")
    op.drop_index("uq_track_record_agreements_standing", "track_record_agreements")
    op.drop_table("track_record_agreements")
    op.drop_table("track_record_decisions")
    op.drop_index("ix_track_record_reports_made_at", "track_record_reports")
    op.drop_table("track_record_reports")
