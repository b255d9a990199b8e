"""create audit concerns"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_concerns",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["audit_entries.id"], name=op.f("fk_audit_concerns_entry_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_concerns")),
    )
    with op.batch_alter_table("audit_concerns", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_audit_concerns_client_id"), ["client_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_audit_concerns_entry_id"), ["entry_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("audit_concerns", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_concerns_entry_id"))
        batch_op.drop_index(batch_op.f("ix_audit_concerns_client_id"))
    op.drop_table("audit_concerns")
