"""Pages of therapists: the public directory, the application, the profile and its licences."""

from practice.therapists.views import application, directory, licences, profile
from practice.therapists.views.blueprint import bp

__all__ = ["application", "bp", "directory", "licences", "profile"]
