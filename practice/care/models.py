"""Episodes of care: the bond from which a therapist's access derives."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database import Base, Identified
from practice.accounts.models import Client
from practice.matches.models import MatchRequest
from practice.therapists.models import Therapist


class Episode(Identified, Base):
    """One client in the care of one therapist, from the first meeting's booking to its end."""

    __tablename__ = "episodes"

    client_id: Mapped[int] = mapped_column(sa.ForeignKey("clients.id"), index=True)
    therapist_id: Mapped[int] = mapped_column(sa.ForeignKey("therapists.id"), index=True)
    request_id: Mapped[int | None] = mapped_column(sa.ForeignKey("match_requests.id"), unique=True)
    service: Mapped[str] = mapped_column(sa.String(40))
    place: Mapped[str] = mapped_column(sa.String(6))
    opened_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[str] = mapped_column(sa.String(60), default="")

    client: Mapped[Client] = relationship(lazy="joined")
    therapist: Mapped[Therapist] = relationship(lazy="joined")
    request: Mapped[MatchRequest | None] = relationship()
