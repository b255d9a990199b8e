"""Who may open the administrators' console."""

from practice.accounts.models import Role
from practice.accounts.policy import has_role, only_in_demo

__all__ = ["is_administrator", "only_in_demo"]

is_administrator = has_role(Role.administrator)
