"""Who may open the administrators' console."""

from core.access import Verdict
from core.config import current_settings
from practice.accounts.models import Role
from practice.accounts.policy import has_role

is_administrator = has_role(Role.administrator)


def only_in_demo() -> Verdict:
    """The demo's post box exists nowhere else."""
    is_demo = current_settings().demo
    return Verdict.allow if is_demo else Verdict.not_found
