"""How long each kind of thing is kept, why, and since when the rule was read as it stands here.

Facts of law carry their source and the month they were looked up; an organisation has its own
counsel confirm them. Where a state's boards differ, the longest of their terms is taken.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

AS_OF = "November 2026"
DEFAULT_YEARS_OF_RECORD = 7


class Rule(StrEnum):
    """The lines of the schedule."""

    sign_in_attempts = "sign_in_attempts"
    sign_in_ended = "sign_in_ended"
    unconfirmed_accounts = "unconfirmed_accounts"
    unfinished_intakes = "unfinished_intakes"
    mails = "mails"
    clinical_records = "clinical_records"
    consent_proof = "consent_proof"
    payment_records = "payment_records"
    audit = "audit"


@dataclass(frozen=True)
class Line:
    """One line of the schedule: what, for how long, counted from when, and on what ground.

    `under_hold` says why it goes although a legal hold stands; empty: then it stays.
    """

    what: str
    how_long: str
    counted_from: str
    source: str
    under_hold: str = ""
    as_of: str = AS_OF


@dataclass(frozen=True)
class StateTerm:
    """For how many years a state has the record of an adult's care kept after its end."""

    years: int
    source: str
    as_of: str = AS_OF


# Adults, outpatient. A place that is not here keeps for DEFAULT_YEARS_OF_RECORD.
YEARS_OF_RECORD = {
    "US-AZ": StateTerm(6, "Arizona Revised Statutes 12-2297"),
    "US-CA": StateTerm(7, "California Business and Professions Code 2919, 4980.49, 4999.75"),
    "US-FL": StateTerm(7, "Florida Administrative Code 64B19-19.003"),
    "US-NY": StateTerm(6, "8 NYCRR 29.2(a)(3)"),
    "US-OR": StateTerm(7, "Oregon Administrative Rules 858-010-0060, 833-075-0070"),
    "US-WA": StateTerm(8, "Washington Administrative Code 246-924-354"),
}

ATTEMPTS_KEPT = timedelta(days=1)
SIGN_IN_KEPT = timedelta(days=30)
UNCONFIRMED_KEPT = timedelta(days=30)
UNFINISHED_KEPT = timedelta(days=90)
MAILS_KEPT = timedelta(days=30)
YEARS_OF_PROOF = 6
YEARS_OF_PAYMENT = 7
YEARS_OF_AUDIT = 6

SCHEDULE = {
    Rule.sign_in_attempts: Line(
        "Counted tries at signing in",
        "1 day",
        "the try",
        "Chosen: longer shows nothing more",
        under_hold="a keyed number that says nothing of anybody",
    ),
    Rule.sign_in_ended: Line(
        "Browsers that were signed out, used links from mails, and what was asked about an "
        "address, a lost second step or a role",
        "30 days",
        "their end",
        "Chosen: time enough to ask about a sign-in one does not know",
        under_hold="they open an account and are no record of the person; that somebody signed in "
        "stays in the log, and earlier addresses stay too",
    ),
    Rule.unconfirmed_accounts: Line(
        "Sign-ups that nobody confirmed",
        "30 days",
        "the sign-up",
        "Chosen: an account that belongs to nobody is not needed",
    ),
    Rule.unfinished_intakes: Line(
        "Questions that were begun and not finished",
        "90 days",
        "the last answer",
        "Chosen: GDPR Article 5(1)(e), no longer than needed",
    ),
    Rule.mails: Line(
        "Copies of mails, and work that was carried out",
        "30 days",
        "the sending",
        "Chosen: time enough to find out why a mail did not arrive",
    ),
    Rule.clinical_records: Line(
        "Records of care: meetings, scores, what was shared, worries about safety",
        f"the years of the state, {DEFAULT_YEARS_OF_RECORD} where none is listed",
        "the end of the care",
        "State rules, listed below",
    ),
    Rule.consent_proof: Line(
        "Proof of what was agreed to and taken back",
        f"{YEARS_OF_PROOF} years",
        "the day it was last in force",
        "45 CFR 164.530(j)(2), 164.316(b)(2)(i)",
    ),
    Rule.payment_records: Line(
        "Payments and refunds",
        f"{YEARS_OF_PAYMENT} years",
        "the payment",
        "Chosen: the longest ordinary term the IRS names for supporting records",
    ),
    Rule.audit: Line(
        "Names behind who did what (the sealed lines themselves stay, without names)",
        f"until the person is forgotten; of those who stay at least {YEARS_OF_AUDIT} years",
        "the act",
        "45 CFR 164.316(b)(2)(i)",
    ),
}


def years_of_record(place: str) -> int:
    """How many years a record of care is kept after its end; `place` is ISO 3166-2 or empty."""
    term = YEARS_OF_RECORD.get(place)
    return term.years if term else DEFAULT_YEARS_OF_RECORD


def record_until(ended_at: datetime, place: str) -> datetime:
    """The instant from which a record of care that ended then no longer has to be kept."""
    return plus_years(ended_at, years_of_record(place))


def plus_years(at: datetime, years: int) -> datetime:
    """The same wall time so many years later; 29 February becomes 1 March, never a day less."""
    try:
        return at.replace(year=at.year + years)
    except ValueError:
        return at.replace(year=at.year + years, month=3, day=1)


def minus_years(at: datetime, years: int) -> datetime:
    """An instant whose so many years are just over at `at`, at most a day early."""
    try:
        return at.replace(year=at.year - years)
    except ValueError:
        return at.replace(year=at.year - years, month=2, day=28)
