"""Pages of groups: the catalogue, joining and leaving, and a leader's own groups."""

from practice.groups.views import catalogue, joining, leading
from practice.groups.views.blueprint import bp

__all__ = ["bp", "catalogue", "joining", "leading"]
