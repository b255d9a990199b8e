"""Let clients agree to learning from how it went."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

BEFORE = ("privacy_notice", "assessment", "treatment", "group")
NOW = (*BEFORE, "learning")


def upgrade() -> None:
    _allow(BEFORE, NOW)


def downgrade() -> None:
    op.execute(
        "DELETE FROM revocations WHERE signature_id IN"
        " (SELECT id FROM signatures WHERE purpose = 'learning')"
    )
    op.execute("DELETE FROM signatures WHERE purpose = 'learning'")
    op.execute("DELETE FROM consent_documents WHERE purpose = 'learning'")
    _allow(NOW, BEFORE)


def _allow(before: tuple[str, ...], after: tuple[str, ...]) -> None:
    """Exchange the CHECK; on SQLite the tables are written anew with it."""
    for table in ("consent_documents", "signatures"):
        with op.batch_alter_table(table) as batch_op:
            batch_op.alter_column(
                "purpose",
                existing_type=_purpose(before),
                type_=_purpose(after),
                existing_nullable=False,
            )


def _purpose(names: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*names, name="purpose", native_enum=False, create_constraint=True, length=40)
