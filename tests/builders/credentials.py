"""Look-ups for tests: everything agrees with what was declared, unless the test says otherwise."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from practice.accounts.models import Role, User
from practice.credentials.models import LicenceCheck, NpiCheck
from practice.credentials.operations import (
    LicenceFinding,
    NpiFinding,
    record_licence_check,
    record_npi_check,
)
from practice.therapists.models import ApplicationState, Licence, LicenceState, Therapist
from tests.builders.accounts import make_user
from tests.builders.kept import kept
from tests.builders.therapists import make_therapist
from tests.conftest import NOW


@kept
def make_administrator(session: Session, name: str = "Ines Ward", **columns: Any) -> User:
    return make_user(session, name=name, roles=(Role.administrator,), **columns)


@kept
def make_applicant(session: Session, name: str = "Rosa Almeida", **columns: Any) -> Therapist:
    """A therapist whose application and licence are in review; nothing was looked up yet."""
    return make_therapist(
        session,
        name,
        **{"state": ApplicationState.in_review, "licence_state": LicenceState.in_review} | columns,
    )


def finding_about(licence: Licence, **values: Any) -> LicenceFinding:
    """What the board shows when it agrees with the licence."""
    return LicenceFinding(
        **{
            "source": "The state board",
            "source_address": "https://board.example.test/search",
            "retrieved_at": NOW - timedelta(days=1),
            "verbatim_status": "Status: Active. No discipline on file.",
            "found_name": licence.therapist.name.upper(),
            "found_number": licence.number,
            "found_expires_on": licence.expires_on,
            "discipline": False,
        }
        | values
    )


@kept
def check_licence(
    session: Session, licence: Licence, actor: User, *, at: datetime = NOW, **values: Any
) -> LicenceCheck:
    finding = finding_about(licence, **values)
    return record_licence_check(session, licence, finding, actor=actor, at=at)


@kept
def check_npi(
    session: Session, therapist: Therapist, actor: User, *, at: datetime = NOW, **values: Any
) -> NpiCheck:
    finding = NpiFinding(
        **{
            "npi": therapist.npi,
            "source": "NPPES NPI Registry",
            "retrieved_at": at - timedelta(days=1),
            "found_name": therapist.name.upper(),
            "found_taxonomy": "Psychologist",
        }
        | values
    )
    return record_npi_check(session, therapist, finding, actor=actor, at=at)
