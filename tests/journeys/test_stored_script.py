"""Whatever people write stays text: hostile words in every field, every page opened in Chromium.

Nothing of it may run. The pages are opened with a policy that forbids nothing and tells what it
would have refused: the escaping must hold alone, and nothing may even try to run. With --prove they
are opened as they are sent, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from wsgiref.types import WSGIApplication

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Error, Page, Route
from sqlalchemy.orm import Session

from core.audit import AuditEntry
from core.database import Base, unit_of_work
from core.encryption import Sealed
from core.mail import KeptMail
from practice.accounts.models import Client, FactorReset, Passkey, RoleProposal, SignInSession, User
from practice.appointments.models import Appointment
from practice.care.emergency.models import (
    EmergencyOpening,
    NoticeDelay,
    OpeningDecision,
    OpeningReview,
)
from practice.care.models import ClosingNote, RecordLookup
from practice.consent.models import ConsentDocument, Revocation, Signature
from practice.credentials.models import Decision, LicenceCheck, NpiCheck, Reversal
from practice.groups.models import Enrolment, Group, GroupLead, GroupSession, ScreeningDecision
from practice.intake.models import FlagContact, FlagOutcome, IntakeAnswer
from practice.matches.market.track_record import TrackRecordDecision
from practice.matches.models import MatchRequest, WeightsVersion
from practice.matches.reviews.models import MatchReview
from practice.oversight.models import WeightsPreview
from practice.privacy.models import LegalHold
from practice.therapists.models import Application, Licence, Therapist
from practice.waiting.models import Placement
from tests.journeys.hostile import CORPUS, IN_AN_ADDRESS, fitting
from tests.journeys.street import VISITOR, Street, build
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
POLICY = "Content-Security-Policy"
ONLY_TOLD = f"{POLICY}-Report-Only"

# What a page tells about itself: what ran, what its policy refused, and what must not be in it.
LISTEN = """
window.ran = []; window.refused = [];
window.alert = window.confirm = window.prompt = words => window.ran.push(String(words));
document.addEventListener("securitypolicyviolation",
  event => window.refused.push(event.effectiveDirective + " " + event.blockedURI));
"""
TELL = """async () => {
  await new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)));
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


@dataclass
class Watched:
    """A Chromium that is one person after the other, and what it met that should not be there."""

    page: Page
    base: str
    walk: Walk
    who: str = VISITOR
    amiss: list[str] = field(default_factory=list)
    opened: int = 0

    def be(self, name: str) -> None:
        """A window for each of them would take as long to open as ten pages."""
        if name == self.who:
            return
        self.who = name
        self.page.context.clear_cookies()
        key = self.walk.app.config["SESSION_COOKIE_NAME"]
        if cookie := self.walk.browsers[name].get_cookie(key):
            self.page.context.add_cookies(
                [{"name": key, "value": cookie.value, "url": self.base, "httpOnly": True}]
            )

    def show(self, address: str) -> None:
        """A page is opened, and a file that is HTML is opened as from a disk, without a policy."""
        try:
            self._open(address)
        except Error as error:
            if "Download is starting" not in error.message:
                raise
            answer = self.walk.browsers[self.who].get(address)
            if answer.mimetype == "text/html":
                self.page.goto("about:blank")
                self.page.set_content(answer.text)
                self._look(address)

    def _open(self, address: str) -> None:
        answer = self.page.goto(self.base + address)
        assert answer is not None
        if answer.status >= 500:
            self.amiss.append(f"{address}: answered {answer.status}")
        # Chromium dresses up a text of another kind in elements of its own.
        if answer.headers.get("content-type", "").startswith("text/html"):
            self._look(address)

    def _look(self, address: str) -> None:
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


@pytest.fixture(
    params=["the policy only tells", pytest.param("as it is sent", marks=pytest.mark.prove)]
)
def watched(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    chromium: Browser,
    hostile_town: tuple[Town, Street],
) -> Iterator[Watched]:
    town, street = hostile_town
    if request.param == "the policy only tells":
        monkeypatch.setattr(town.app, "wsgi_app", only_telling(town.app.wsgi_app))
    context = chromium.new_context()
    context.add_init_script(LISTEN)
    yield Watched(context.new_page(), town.base, Walk(town.app, street))
    context.close()


def only_telling(application: WSGIApplication) -> WSGIApplication:
    """The pages' policy forbids nothing any more: what it would have refused is done, and told."""

    def answer(environ: Any, start: Any) -> Any:
        def begin(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            names = {POLICY: ONLY_TOLD}
            return start(status, [(names.get(name, name), v) for name, v in headers], *more)

        return application(environ, begin)

    return answer


@pytest.mark.browser
def test_nothing_that_anybody_writes_runs_on_any_page(
    hostile_town: tuple[Town, Street], watched: Watched, proving: bool
) -> None:
    town, _street = hostile_town
    for turn in TURNS if proving else TURNS[:1]:
        assert plant(town, turn) > len(WRITTEN)
        for name, address in pages(watched.walk, everybody=proving and turn == 0):
            watched.be(name)
            watched.show(address)
        assert watched.amiss == [], f"turn {turn}: {watched.amiss[:10]}"
    assert watched.opened > FEWEST_PAGES


def pages(walk: Walk, *, everybody: bool) -> list[tuple[str, str]]:
    """Whom each address is shown to: everybody it is for, or the last of them by name."""
    shown = []
    for endpoint, thing, address in walk.addresses("GET"):
        known = endpoint in OPEN_TO
        audience = sorted(audience_of(OPEN_TO, endpoint, thing) if known else walk.browsers)
        shown += [(name, address) for name in (audience if everybody else audience[-1:])]
    return sorted(shown)


@pytest.mark.browser
def test_the_words_would_run_where_they_are_not_taken_for_text(
    whole_town: Town, chromium: Browser
) -> None:
    """The control: the same listening hears most of them on a page that escapes nothing.

    Whatever ran is something that the pages' policy would have refused, and it tells so.
    """
    told = {ONLY_TOLD: whole_town.app.test_client().get("/").headers[POLICY]}
    context = chromium.new_context()
    context.add_init_script(LISTEN)
    page = context.new_page()

    def answer(route: Route) -> None:
        *_, number = route.request.url.split("/")
        if number.isdigit():
            body = f"<!doctype html><title>x</title><p title='x'>{CORPUS[int(number)]}</p>"
            route.fulfill(content_type="text/html", headers=told, body=body)
        else:
            route.abort()

    page.route("**", answer)
    heard = {}
    for number, words in enumerate(CORPUS):
        page.goto(f"{whole_town.base}/{number}")
        heard[words] = page.evaluate(TELL)
    context.close()
    ran = [words for words in CORPUS if "1" in heard[words]["ran"]]
    assert len(CORPUS) > 60
    assert len(ran) >= 20, ran
    assert sum(any(told.values()) for told in heard.values()) >= 40, heard
    # What a frame refuses it tells itself; that there is one is found.
    unheard = [words for words in ran if not heard[words]["refused"]]
    assert all("<iframe" in words and heard[words]["found"] for words in unheard), unheard


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
    OutboxMessage.payload Proposal.client_inputs Proposal.place_told Proposal.points
    Proposal.prices Proposal.shown Placement.found RiskFlag.raised_by TrackRecord.figures User.email
    WaitingRun.figures
    """.split()
)
