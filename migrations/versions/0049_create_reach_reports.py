"""Keep what therapists may read of how they were found."""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reach_reports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("therapist_id", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["therapist_id"],
            ["therapists.id"],
            name=op.f("fk_reach_reports_therapist_id_therapists"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reach_reports")),
        sa.UniqueConstraint("therapist_id", name=op.f("uq_reach_reports_therapist_id")),
    )


def downgrade() -> None:
    op.drop_table("reach_reports")
