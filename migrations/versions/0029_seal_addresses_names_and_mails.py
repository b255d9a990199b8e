"""Seal addresses, names, waiting work and kept mails; what is done needs no payload."""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


# Table, column, realm, the owner's public id and how it is reached, what stands for nothing.
SEALED = (
    ("users", "email", "account", "t.public_id", "", ""),
    ("users", "name", "account", "t.public_id", "", ""),
    ("outbox_messages", "payload", "system", "", "", "{}"),
    ("kept_mails", "to", "system", "", "", ""),
    ("kept_mails", "subject", "system", "", "", ""),
    ("kept_mails", "body", "system", "", "", ""),
    ("kept_mails", "attachment", "system", "", "", ""),
)


def upgrade() -> None:
    sealer = op.get_context().config.attributes["sealer"]
    op.execute("UPDATE outbox_messages SET payload = '{}' WHERE done_at IS NOT NULL")
    sealer.seal(*SEALED)
    sealer.index(SEALED[0], "email_index", "email")
    sealer.index(SEALED[3], "to_index", "to")


def downgrade() -> None:
    op.get_context().config.attributes["sealer"].open(*SEALED)
