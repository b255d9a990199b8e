"""Every scoped query about people holds the clause of a consent, or says why it holds none."""

import inspect
from importlib import import_module
from pathlib import Path

import pytest

from practice.accounts.models import Role, UserRole
from tests.builders.groups import make_group
from tests.builders.matches import make_seeker
from tests.builders.therapists import make_therapist
from tests.conftest import NOW

ROOT = Path(__file__).parents[2]
SHORTEST_REASON = 20


def scopes():
    """Each function of a room's policies that gives a select."""
    for path in sorted((ROOT / "practice").rglob("*policy.py")):
        module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for name, member in inspect.getmembers(module, inspect.isfunction):
            gives = str(inspect.signature(member).return_annotation)
            is_ours = member.__module__ == module.__name__ and not name.startswith("_")
            if is_ours and "Select" in gives:
                yield pytest.param(member, id=f"{path.parent.name}.{name}")


SCOPES = list(scopes())


def test_there_are_scopes_to_look_at():
    rooms = {param.id.split(".")[0] for param in SCOPES}
    assert {"intake", "matches", "care", "appointments", "groups"} <= rooms


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scoped_query_holds_a_consent_or_says_why_not(session, scope):
    reason = getattr(scope, "beyond_consent", None)
    holds = "signatures" in str(scope(**arguments_of(session, scope)).compile())
    if reason is None:
        assert holds, f"{scope.__name__} asks for no consent; mark it @beyond_consent if it may"
    else:
        assert len(reason) >= SHORTEST_REASON


def arguments_of(session, scope):
    """One of each kind that a scope can ask about; a therapist who may do all that staff may."""
    therapist = make_therapist(session)
    others = [role for role in Role if role not in {Role.client, Role.therapist}]
    therapist.user.role_rows += [UserRole(role=role, granted_at=NOW) for role in others]
    session.flush()
    kinds = {
        "User": lambda: therapist.user,
        "User | None": lambda: therapist.user,
        "Client": lambda: make_seeker(session),
        "Therapist": lambda: therapist,
        "Group": lambda: make_group(session, lead=therapist),
        "datetime": lambda: NOW,
    }
    annotations = inspect.signature(scope).parameters.values()
    return {one.name: kinds[name_of(one.annotation)]() for one in annotations}


def name_of(annotation):
    """ "User", "User | None", …"""
    words = getattr(annotation, "__name__", None) or str(annotation)
    return words.replace("practice.accounts.models.", "")
