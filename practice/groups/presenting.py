"""How a group is told to people: labels instead of codes."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from billing.stripe_port import STATEMENT_SUFFIX
from core.config import current_settings
from practice.groups.models import Enrolment, EnrolmentState, Group
from practice.groups.refunds import TEMPLATE_WORDS
from practice.vocabularies import vocabulary

STATE_WORDS = {
    EnrolmentState.screening: ("asked to join", "wait"),
    EnrolmentState.invited: ("invited", "yes"),
    EnrolmentState.declined: ("not this group", "plain"),
    EnrolmentState.held: ("held", "wait"),
    EnrolmentState.seated: ("seated", "yes"),
    EnrolmentState.expired: ("ran out", "stop"),
    EnrolmentState.left: ("left", "plain"),
}
# The same said to the person themselves, for the states that still want something of them.
OWN_STATE_WORDS = {
    EnrolmentState.screening: ("the leader is reading", "wait"),
    EnrolmentState.invited: ("you are invited", "wait"),
    EnrolmentState.held: ("a seat is held for you", "wait"),
    EnrolmentState.seated: ("you have a seat", "yes"),
}


def kind_of(group: Group) -> str:
    return vocabulary("group_kinds").label(group.kind)


def kind_in_words(group: Group) -> str:
    return vocabulary("group_kinds").term(group.kind).text("description")


def topics_of(group: Group) -> list[str]:
    return vocabulary("concerns").labels(group.topics)


def format_of(group: Group) -> str:
    return vocabulary("formats").label(group.format)


def language_of(group: Group) -> str:
    return vocabulary("languages").label(group.language)


def refund_words(group: Group) -> str:
    return TEMPLATE_WORDS[group.refund_template]


def minutes_of(starts_to_ends: timedelta) -> int:
    return int(starts_to_ends.total_seconds()) // 60


def short_day(at: datetime, zone: str) -> str:
    """ "Tue 8 Dec", for narrow columns."""
    here = at.astimezone(ZoneInfo(zone))
    return f"{here:%a} {here.day} {here:%b}"


def state_of(enrolment: Enrolment) -> tuple[str, str]:
    """(words, kind of tag)"""
    return STATE_WORDS[enrolment.state]


def own_state_of(enrolment: Enrolment) -> tuple[str, str]:
    """(words, kind of tag) as the person reads them; only while the enrolment is live."""
    return OWN_STATE_WORDS[enrolment.state]


def statement_words() -> str:
    """The words on a card statement: the account's own prefix and our suffix (Stripe)."""
    settings = current_settings()
    return f"{settings.organisation.upper()}* {STATEMENT_SUFFIX}"
