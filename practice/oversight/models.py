"""What the clinical lead's audit of fairness found, day by day."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, Identified, Json


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
