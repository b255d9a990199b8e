"""Who may open a page: the rules that views name with `@policy(...)`."""

from flask_login import current_user

from core.access import Rule, Verdict, anyone
from practice.accounts.models import Client, Role

__all__ = ["anyone", "has_role", "is_client", "signed_in", "the_client"]


def signed_in() -> Verdict:
    return Verdict.allow if current_user.is_authenticated else Verdict.sign_in


def has_role(*roles: Role) -> Rule:
    """Open to people with any of these roles; for others the page does not exist."""

    def rule() -> Verdict:
        if not current_user.is_authenticated:
            return Verdict.sign_in
        return Verdict.allow if current_user.has(*roles) else Verdict.not_found

    return rule


is_client = has_role(Role.client)


def the_client() -> Client:
    """The client who is signed in; only for views whose policy is `is_client`."""
    client: Client = current_user.user.client
    return client
