"""Pages of the client's rights, and of the schedule by which things go."""

from practice.privacy.views import kept, rights, schedule
from practice.privacy.views.blueprint import bp

__all__ = ["bp", "kept", "rights", "schedule"]
