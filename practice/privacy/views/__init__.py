"""Pages of the client's rights, and of the schedule by which things go."""

from practice.privacy.views import rights, schedule
from practice.privacy.views.blueprint import bp

__all__ = ["bp", "rights", "schedule"]
