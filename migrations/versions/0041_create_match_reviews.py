"""Ask a person to look at the matches again, and their answer."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

OPEN = sa.text("state = 'asked'")


def upgrade() -> None:
    op.create_table(
        "match_reviews",
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "asked",
                "answered",
                "withdrawn",
                name="reviewstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by_id", sa.Integer(), nullable=True),
        sa.Column("words_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("answer_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_match_reviews_client_id")
        ),
        sa.ForeignKeyConstraint(
            ["answered_by_id"], ["users.id"], name=op.f("fk_match_reviews_answered_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_match_reviews")),
        sa.UniqueConstraint("public_id", name=op.f("uq_match_reviews_public_id")),
    )
    op.create_index("ix_match_reviews_client_id", "match_reviews", ["client_id"])
    op.create_index(
        "uq_match_reviews_open_client_id",
        "match_reviews",
        ["client_id"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.create_table(
        "match_review_suggestions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column("therapist_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id"],
            ["match_reviews.id"],
            name=op.f("fk_match_review_suggestions_review_id"),
        ),
        sa.ForeignKeyConstraint(
            ["therapist_id"],
            ["therapists.id"],
            name=op.f("fk_match_review_suggestions_therapist_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_match_review_suggestions")),
        sa.UniqueConstraint(
            "review_id",
            "therapist_id",
            name=op.f("uq_match_review_suggestions_review_id_therapist_id"),
        ),
    )


def downgrade() -> None:
    op.drop_table("match_review_suggestions")
    op.drop_index("uq_match_reviews_open_client_id", "match_reviews")
    op.drop_index("ix_match_reviews_client_id", "match_reviews")
    op.drop_table("match_reviews")
