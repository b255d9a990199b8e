"""Whatever people write stays text: hostile words in every field, every page opened in Chromium.

Nothing of it may run. The pages are opened as they are sent, where nothing may even try to (the
content policy would report it), and once more with the policy switched off, so that the escaping
must hold alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Error, Page
from sqlalchemy.orm import Session

from core.audit import AuditEntry
from core.database import Base, unit_of_work
from core.encryption import Sealed
from core.mail import KeptMail
from practice.accounts.models import Client, FactorReset, Passkey, RoleProposal, SignInSession, User
from practice.appointments.models import Appointment
from practice.care.emergency import EmergencyOpening, NoticeDelay, OpeningDecision, OpeningReview
from practice.care.models import ClosingNote, RecordLookup
from practice.consent.models import ConsentDocument, Revocation, Signature
from practice.credentials.models import Decision, LicenceCheck, NpiCheck, Reversal
from practice.groups.models import Enrolment, Group, GroupLead, GroupSession, ScreeningDecision
from practice.intake.models import FlagContact, FlagOutcome, IntakeAnswer
from practice.matches.models import MatchRequest, WeightsVersion
from practice.matches.review import MatchReview
from practice.matches.track_record import TrackRecordDecision
from practice.oversight.models import WeightsPreview
from practice.privacy.models import LegalHold
from practice.therapists.models import Application, Licence, Therapist
from practice.waiting.models import Placement
from tests.journeys.hostile import CORPUS, IN_AN_ADDRESS, fitting
from tests.journeys.street import Street, build
from tests.journeys.test_private_pages import OPEN_TO, Walk, audience_of
from tests.journeys.town import Town

# Everything that somebody types and somebody may read.
WRITTEN: dict[type[Base], tuple[str, ...]] = {
    User: ("name",),
    Client: ("preferred_name", "phone"),
    SignInSession: ("browser",),
    ConsentDocument: ("title", "body"),
    Signature: ("scope_label", "evidence"),
    Revocation: ("effect",),
    IntakeAnswer: ("value",),
    FlagContact: ("words",),
    FlagOutcome: ("reason",),
    Therapist: ("name", "voice", "about", "office", "meeting_link"),
    Application: ("asked",),
    Licence: ("number", "board", "found_source", "asked"),
    LicenceCheck: (
        "source", "source_address", "method", "verbatim_status", "found_name", "found_number",
        "same_person",
    ),
    NpiCheck: ("found_name", "found_taxonomy", "same_person", "source"),
    Decision: ("reason", "missing"),
    Reversal: ("reason",),
    MatchRequest: ("shared", "reply"),
    Appointment: ("where",),
    ClosingNote: ("words",),
    EmergencyOpening: ("words",),
    OpeningDecision: ("words",),
    OpeningReview: ("words",),
    NoticeDelay: ("words",),
    RecordLookup: ("words",),
    RoleProposal: ("email", "name"),
    FactorReset: ("reason",),
    LegalHold: ("reason",),
    Passkey: ("name",),
    Group: ("title", "summary", "about", "where"),
    GroupLead: ("name",),
    GroupSession: ("title",),
    Enrolment: ("handle", "why"),
    ScreeningDecision: ("reason",),
    KeptMail: ("subject", "body"),
    MatchReview: ("words", "answer"),
    Placement: ("reason",),
    TrackRecordDecision: ("reason",),
    WeightsVersion: ("reason",),
    WeightsPreview: ("reason",),
    AuditEntry: ("details",),
}  # fmt: skip
# Values with parts: which part is a text, and what else must stay as it is.
WITH_PARTS = {"evidence": "typed_name", "shared": "name", "details": "person"}
STORY = "story"
# Pages make these into links.
PRESSED = {(Appointment, "where"), (Therapist, "meeting_link"), (LicenceCheck, "source_address")}
UNIQUE = {"handle", "number"}
# Long fields hold them all each time; short ones hold one, another in each turn.
TURNS = range(0, len(CORPUS), 4)
FEWEST_PAGES = 60

# What a page tells about itself: what ran, what its policy refused, and what must not be in it.
LISTEN = """
window.ran = []; window.refused = [];
window.alert = window.confirm = window.prompt = words => window.ran.push(String(words));
document.addEventListener("securitypolicyviolation",
  event => window.refused.push(event.effectiveDirective + " " + event.blockedURI));
"""
TELL = """() => {
  const all = [...document.querySelectorAll("*")];
  const says = one => one.outerHTML.slice(0, 120);
  const handlers = all.filter(one => one.getAttributeNames().some(name => name.startsWith("on")));
  const strangers = all.filter(one => one.matches(
    "iframe, object, embed, base, style, template, math, marquee, audio, video, svg script,"
    + " svg set, meta[http-equiv=refresh], link:not([href^='/'])"));
  const scripts = all.filter(
    one => one.matches("script") && !String(one.src || "").startsWith(location.origin));
  const addresses = all.filter(one => ["href", "action", "formaction", "xlink:href", "src"].some(
    name => /^[\\s\\u0000-\\u001f]*(java|data|vb)(script)?:/i.test(one.getAttribute(name) || "")));
  return {ran: window.ran, refused: window.refused,
          found: [...handlers, ...strangers, ...scripts, ...addresses].map(says)};
}"""
LET_IT_HAPPEN = "() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)))"


@dataclass
class Watched:
    """One person's Chromium, and everything it met that should not have been there."""

    page: Page
    base: str
    amiss: list[str] = field(default_factory=list)
    opened: int = 0

    def open(self, address: str) -> None:
        answer = self.page.goto(self.base + address)
        assert answer is not None
        if answer.status >= 500:
            self.amiss.append(f"{address}: answered {answer.status}")
        # Chromium dresses up a text of another kind in elements of its own.
        if answer.headers.get("content-type", "").startswith("text/html"):
            self.look(address)

    def look(self, address: str) -> None:
        self.page.evaluate(LET_IT_HAPPEN)
        told = self.page.evaluate(TELL)
        self.opened += 1
        self.amiss += [f"{address}: {kind}: {one}" for kind in told for one in told[kind]]


@pytest.fixture
def hostile_town(town: Town) -> tuple[Town, Street]:
    """The street, with hostile words wherever its people can write some."""
    town.app.config["WTF_CSRF_ENABLED"] = True
    with town.app.app_context(), unit_of_work() as session:
        street = build(session, town.clock.now())
        post_a_mail(session, town)
    return town, street


def post_a_mail(session: Session, town: Town) -> None:
    at = town.clock.now()
    session.add(KeptMail(sent_at=at, to="ann@example.test", subject="A mail", body="Words"))


def plant(town: Town, turn: int) -> int:
    """Put hostile words into every field of WRITTEN; returns into how many."""
    planted = 0
    with town.app.app_context(), unit_of_work() as session:
        for model, names in WRITTEN.items():
            for row in session.scalars(sa.select(model)).all():
                for name in names:
                    planted += plant_one(session, row, name, turn + planted)
    return planted


def plant_one(session: Session, row: Any, name: str, turn: int) -> int:
    if name == "value" and row.page != STORY:
        return 0
    sealed = isinstance(vars(type(row)).get(name), Sealed)
    value = hostile_value(row, name, turn, sealed)
    if sealed:
        setattr(row, name, value)
        session.flush()
    else:
        # Past the guard of what is written once: a database may have come from anywhere.
        table = type(row).__table__
        session.execute(sa.update(table).where(table.c.id == row.id).values({name: value}))
    return 1


def hostile_value(row: Any, name: str, turn: int, sealed: bool) -> Any:
    if (type(row), name) in PRESSED:
        return IN_AN_ADDRESS[turn % len(IN_AN_ADDRESS)]
    if name in WITH_PARTS:
        whole = fitting(None, turn)
        parts = getattr(row, name) or {}
        more = {"story": whole} if name == "shared" else {}
        return {**parts, **more, WITH_PARTS[name]: whole}
    if sealed:
        return fitting(None, turn)
    length = getattr(type(row).__table__.c[name].type, "length", None)
    if name in UNIQUE:
        return fitting(length - 6, turn) + str(row.id)
    return fitting(length, turn)


@pytest.fixture(params=["as it is sent", "without the policy"])
def opened_by(
    request: pytest.FixtureRequest, chromium: Browser, hostile_town: tuple[Town, Street]
) -> Iterator[Any]:
    """Makes somebody's Chromium; once with the policy, and once with the escaping alone."""
    contexts = []

    def make(signed_in: FlaskClient) -> Watched:
        town, _street = hostile_town
        context = chromium.new_context(bypass_csp=request.param == "without the policy")
        contexts.append(context)
        context.add_init_script(LISTEN)
        if cookie := signed_in.get_cookie(town.app.config["SESSION_COOKIE_NAME"]):
            context.add_cookies(
                [{"name": cookie.key, "value": cookie.value, "url": town.base, "httpOnly": True}]
            )
        return Watched(context.new_page(), town.base)

    yield make
    for context in contexts:
        context.close()


@pytest.mark.browser
def test_nothing_that_anybody_writes_runs_on_any_page(
    hostile_town: tuple[Town, Street], opened_by: Any, proving: bool
) -> None:
    town, street = hostile_town
    walk = Walk(town.app, street)
    people = {name: opened_by(browser) for name, browser in walk.browsers.items()}
    for turn in TURNS if proving else TURNS[:1]:
        assert plant(town, turn) > len(WRITTEN)
        for name, address in pages(walk, everybody=proving and turn == 0):
            show(walk, people[name], name, address)
        amiss = [one for person in people.values() for one in person.amiss]
        assert amiss == [], f"turn {turn}: {amiss[:10]}"
    assert sum(person.opened for person in people.values()) > FEWEST_PAGES


def pages(walk: Walk, *, everybody: bool) -> Iterator[tuple[str, str]]:
    """Whom each address is shown to: everybody it is for, or the last of them by name."""
    for endpoint, thing, address in walk.addresses("GET"):
        known = endpoint in OPEN_TO
        audience = sorted(audience_of(OPEN_TO, endpoint, thing) if known else walk.browsers)
        for name in audience if everybody else audience[-1:]:
            yield name, address


def show(walk: Walk, person: Watched, name: str, address: str) -> None:
    """A page is opened, and a file that is HTML is opened as from a disk, without a policy."""
    try:
        person.open(address)
    except Error as error:
        if "Download is starting" not in error.message:
            raise
        answer = walk.browsers[name].get(address)
        if answer.mimetype == "text/html":
            person.page.goto("about:blank")
            person.page.set_content(answer.text)
            person.look(address)


@pytest.mark.browser
def test_the_words_would_run_where_they_are_not_taken_for_text(chromium: Browser) -> None:
    """The control: the same listening hears most of them on a page that escapes nothing."""
    context = chromium.new_context()
    context.add_init_script(LISTEN)
    watched = Watched(context.new_page(), "")
    for n, words in enumerate(CORPUS):
        watched.page.goto("about:blank")
        watched.page.set_content(f"<!doctype html><title>x</title><p title='x'>{words}</p>")
        watched.look(str(n))
    context.close()
    heard = {line.split(":")[0] for line in watched.amiss}
    ran = {line.split(":")[0] for line in watched.amiss if ": ran: 1" in line}
    assert len(CORPUS) > 60
    assert len(ran) >= 20, sorted(ran)
    assert len(heard) >= 40, sorted(heard)


def test_every_long_text_and_every_confidential_value_is_planted_or_known_to_be_our_own() -> None:
    """A new field that people can write into has to be entered above."""
    for mapper in Base.registry.mappers:
        model = mapper.class_
        names = {name for name, value in vars(model).items() if isinstance(value, Sealed)}
        names |= {one.key for one in mapper.local_table.columns if type(one.type) is sa.Text}
        for name in sorted(names - set(WRITTEN.get(model, ()))):
            assert f"{model.__name__}.{name}" in OUR_OWN, f"{model.__name__}.{name}"


# Written by the product itself, from choices, numbers and codes.
OUR_OWN = frozenset(
    """
    Assessment.responses Assessment.result AuthenticatorApp.secret EmailChange.new_email
    EmailChange.old_email KeptMail.attachment KeptMail.to LedgerKey.public LedgerKey.secret
    OutboxMessage.payload Proposal.client_inputs Proposal.points Proposal.prices Proposal.shown
    Placement.found RiskFlag.raised_by TrackRecord.figures User.email WaitingRun.figures
    """.split()
)
