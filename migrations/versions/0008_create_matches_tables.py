"""create matches tables"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "market_stamps",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("stamp", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_market_stamps")),
    )
    op.create_table(
        "weights_versions",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("weights", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["users.id"], name=op.f("fk_weights_versions_decided_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_weights_versions")),
        sa.UniqueConstraint("public_id", name=op.f("uq_weights_versions_public_id")),
        sa.UniqueConstraint("version", name=op.f("uq_weights_versions_version")),
    )
    op.create_table(
        "match_alerts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_match_alerts_client_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_match_alerts")),
        sa.UniqueConstraint("client_id", name=op.f("uq_match_alerts_client_id")),
    )
    op.create_table(
        "proposals",
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("weights_version", sa.Integer(), nullable=False),
        sa.Column("engine_version", sa.String(length=20), nullable=False),
        sa.Column("client_inputs", sa.Text(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_proposals_client_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposals")),
        sa.UniqueConstraint("client_id", "digest", name=op.f("uq_proposals_client_id_digest")),
        sa.UniqueConstraint("public_id", name=op.f("uq_proposals_public_id")),
    )
    with op.batch_alter_table("proposals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_proposals_client_id"), ["client_id"], unique=False)

    op.create_table(
        "match_requests",
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("therapist_id", sa.Integer(), nullable=False),
        sa.Column("proposal_id", sa.Integer(), nullable=True),
        sa.Column("place", sa.String(length=6), nullable=False),
        sa.Column("service", sa.String(length=40), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "sent",
                "accepted",
                "declined",
                "lapsed",
                "withdrawn",
                "met",
                name="requeststate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("shared", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reply", sa.String(length=500), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_match_requests_client_id")
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposals.id"], name=op.f("fk_match_requests_proposal_id")
        ),
        sa.ForeignKeyConstraint(
            ["therapist_id"], ["therapists.id"], name=op.f("fk_match_requests_therapist_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_match_requests")),
        sa.UniqueConstraint("public_id", name=op.f("uq_match_requests_public_id")),
    )
    with op.batch_alter_table("match_requests", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_match_requests_answer_due_at"), ["answer_due_at"], unique=False
        )
        batch_op.create_index("ix_match_requests_inbox", ["therapist_id", "state"], unique=False)
        batch_op.create_index(
            "uq_match_requests_waiting_client_id",
            ["client_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('sent', 'accepted')"),
            postgresql_where=sa.text("state IN ('sent', 'accepted')"),
        )


def downgrade() -> None:
    with op.batch_alter_table("match_requests", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_match_requests_waiting_client_id",
            sqlite_where=sa.text("state IN ('sent', 'accepted')"),
            postgresql_where=sa.text("state IN ('sent', 'accepted')"),
        )
        batch_op.drop_index("ix_match_requests_inbox")
        batch_op.drop_index(batch_op.f("ix_match_requests_answer_due_at"))

    op.drop_table("match_requests")
    with op.batch_alter_table("proposals", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_proposals_client_id"))

    op.drop_table("proposals")
    op.drop_table("match_alerts")
    op.drop_table("weights_versions")
    op.drop_table("market_stamps")
