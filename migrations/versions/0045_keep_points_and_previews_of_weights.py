"""Keep the points that were shown with each list, and previews of new weights."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("proposals", sa.Column("points_sealed", sa.LargeBinary(), nullable=True))
    op.create_table(
        "weights_previews",
        sa.Column("weights", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("after_version", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by_id", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("looked_at", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("engine_version", sa.String(length=20), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("published_version", sa.Integer(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["users.id"], name=op.f("fk_weights_previews_asked_by_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_weights_previews")),
        sa.UniqueConstraint("public_id", name=op.f("uq_weights_previews_public_id")),
        sa.UniqueConstraint(
            "published_version", name=op.f("uq_weights_previews_published_version")
        ),
    )


def downgrade() -> None:
    op.drop_table("weights_previews")
    op.drop_column("proposals", "points_sealed")
