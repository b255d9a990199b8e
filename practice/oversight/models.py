"""What the audit of fairness found, day by day; and what new weights would change."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database import Base, Identified, Json
from practice.accounts.models import User


class FairnessReport(Identified, Base):
    """One count of how groups fared. `figures` hold groups of 50 people and more, nobody's rows.

    Shape: {"tested": n, "comparisons": [the fields of `matching.auditing.Comparison`]}. `people`
    were counted, who sent their answers from `since` on and before `until`.
    """

    __tablename__ = "fairness_reports"

    made_at: Mapped[datetime] = mapped_column(index=True)
    since: Mapped[datetime]
    until: Mapped[datetime]
    people: Mapped[int]
    figures: Mapped[dict[str, Any]] = mapped_column(Json)


class WeightsPreview(Identified, Base):
    """What exactly these weights would change, put beside those of `after_version`.

    `looked_at` of `people` are ranked while it is being worked out (`made_at` is None), who are
    some of those `found` since `since`. `figures` as in `weights_figures.py`: groups of 50 people
    and more, nobody's rows. `published_version` once these weights came into force.
    """

    __tablename__ = "weights_previews"

    weights: Mapped[dict[str, int]] = mapped_column(Json)
    reason: Mapped[str] = mapped_column(sa.Text)
    after_version: Mapped[int]
    asked_at: Mapped[datetime]
    asked_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    since: Mapped[datetime]
    found: Mapped[int] = mapped_column(default=0)
    people: Mapped[int] = mapped_column(default=0)
    looked_at: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[datetime | None]
    engine_version: Mapped[str] = mapped_column(sa.String(20), default="")
    figures: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    published_version: Mapped[int | None] = mapped_column(unique=True)

    asked_by: Mapped[User] = relationship()

    @property
    def is_being_made(self) -> bool:
        return self.made_at is None
