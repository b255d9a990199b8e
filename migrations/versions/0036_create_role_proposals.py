"""Roles that two administrators give: what is proposed, and who agreed."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "role_proposals",
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("proposed_by_id", sa.Integer(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_by_id", sa.Integer(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agreed", sa.Boolean(), nullable=False),
        sa.Column("email_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_role_proposals_user_id")),
        sa.ForeignKeyConstraint(
            ["proposed_by_id"], ["users.id"], name=op.f("fk_role_proposals_proposed_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["answered_by_id"], ["users.id"], name=op.f("fk_role_proposals_answered_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_proposals")),
        sa.UniqueConstraint("public_id", name=op.f("uq_role_proposals_public_id")),
    )
    op.create_index("ix_role_proposals_user_id", "role_proposals", ["user_id"])
    with op.batch_alter_table("user_roles") as batch_op:
        batch_op.add_column(sa.Column("agreed_by_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_user_roles_agreed_by_id"), "users", ["agreed_by_id"], ["id"]
        )


def downgrade() -> None:
    with op.batch_alter_table("user_roles") as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_user_roles_agreed_by_id"), type_="foreignkey")
        batch_op.drop_column("agreed_by_id")
    op.drop_table("role_proposals")
