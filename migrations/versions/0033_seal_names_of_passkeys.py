"""Seal the names that people gave their passkeys."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


NAME = (
    "passkeys", "name", "account", "users.public_id", "JOIN users ON users.id = t.user_id", "",
)  # fmt: skip


def upgrade() -> None:
    op.add_column("passkeys", sa.Column("name_sealed", sa.LargeBinary(), nullable=True))
    op.get_context().config.attributes["sealer"].seal(NAME)
    op.drop_column("passkeys", "name")


def downgrade() -> None:
    op.add_column(
        "passkeys", sa.Column("name", sa.String(60), nullable=False, server_default="a passkey")
    )
    op.get_context().config.attributes["sealer"].open(NAME)
    with op.batch_alter_table("passkeys") as batch_op:
        batch_op.alter_column("name", existing_type=sa.String(60), server_default=None)
        batch_op.drop_column("name_sealed")
