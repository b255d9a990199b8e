"""Seal what stands in the clear about clients, each under its owner's key."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


CLIENT = ("clients.public_id", "JOIN clients ON clients.id = t.client_id")
OF_INTAKE = (
    "clients.public_id",
    "JOIN intakes ON intakes.id = t.intake_id JOIN clients ON clients.id = intakes.client_id",
)
OF_FLAG = (
    "clients.public_id",
    "JOIN risk_flags ON risk_flags.id = t.flag_id"
    " JOIN clients ON clients.id = risk_flags.client_id",
)
OF_ENROLMENT = (
    "clients.public_id",
    "JOIN enrolments ON enrolments.id = t.enrolment_id"
    " JOIN clients ON clients.id = enrolments.client_id",
)
# Table, column, realm, the owner's public id and how it is reached, what stands for nothing.
SEALED = (
    ("clients", "preferred_name", "record", "t.public_id", "", ""),
    ("clients", "phone", "record", "t.public_id", "", ""),
    ("intake_answers", "value", "personal", *OF_INTAKE, "null"),
    ("assessments", "responses", "record", *CLIENT, "[]"),
    ("assessments", "result", "record", *CLIENT, "{}"),
    ("risk_flags", "raised_by", "record", *CLIENT, "{}"),
    ("flag_contacts", "words", "record", *OF_FLAG, ""),
    ("flag_outcomes", "reason", "record", *OF_FLAG, ""),
    ("proposals", "client_inputs", "personal", *CLIENT, "{}"),
    ("proposals", "shown", "personal", *CLIENT, "[]"),
    ("match_requests", "shared", "record", *CLIENT, "{}"),
    ("match_requests", "reply", "record", *CLIENT, ""),
    ("appointments", "where", "record", *CLIENT, ""),
    ("enrolments", "why", "record", *CLIENT, ""),
    ("screening_decisions", "reason", "record", *OF_ENROLMENT, ""),
    ("signatures", "scope_label", "record", *CLIENT, ""),
    ("signatures", "evidence", "record", *CLIENT, "{}"),
)
UNNAMED = ("intake_answers", "flag_outcomes", "screening_decisions")


def upgrade() -> None:
    sealer = op.get_context().config.attributes["sealer"]
    for table in UNNAMED:
        sealer.identify(table)
    sealer.seal(*SEALED)
    # What somebody was shown could be guessed from a hash without a key.
    sealer.index(("proposals", "digest", "", "", "", ""), "digest", "proposal")


def downgrade() -> None:
    op.get_context().config.attributes["sealer"].open(*SEALED)
