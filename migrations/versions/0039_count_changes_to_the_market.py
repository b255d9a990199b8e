"""Count the changes to who can be found, and keep whom each of them changed."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "market_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("forgotten", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_market_versions")),
    )
    op.create_table(
        "market_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("therapist_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["therapist_id"], ["therapists.id"], name=op.f("fk_market_changes_therapist_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_market_changes")),
    )
    op.create_index("ix_market_changes_version", "market_changes", ["version"])
    op.drop_table("market_stamps")


def downgrade() -> None:
    op.create_table(
        "market_stamps",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("stamp", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_market_stamps")),
    )
    op.drop_index("ix_market_changes_version", "market_changes")
    op.drop_table("market_changes")
    op.drop_table("market_versions")
