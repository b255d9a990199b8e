"""Every page, asked for by everybody: nobody finds what is not theirs, and nothing leaks.

The world is `street.py`: each secret is a text that stands nowhere else, so a page that shows it
to somebody it is not meant for is found out by its own words.
"""

import io
import json
import logging
import re
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from core.audit import AuditEntry
from core.database import Base, db, unit_of_work
from core.ledger import seal_now
from core.mail import KeptMail
from core.outbox import OutboxMessage, drain
from practice.accounts.models import SignInAttempt, SignInSession
from tests.builders.accounts import sign_in
from tests.builders.checkout import Bank, bank_for
from tests.journeys.street import EVERYBODY, READERS, TITLE, VISITOR, Street, build, canary

ALL = {VISITOR, *EVERYBODY}
CLIENTS, THERAPISTS = {"ann", "ben"}, {"lena", "rosa", "sven"}
ANN, ROSA, INES = {"ann"}, {"rosa"}, {"ines"}
FLAG_READERS = {"noor", "clara"}

# An episode is for those who are named after it, and for nobody else.
NOT_THEIRS: dict[str, set[str]] = {
    "ann's with rosa": set(),
    "ben's with rosa, closed": set(),
    "ben's with sven, just ended": set(),
}
# The clinical lead may answer each of them; what no longer can be is said on its page.
CLARAS = {one: {"clara"} for one in ("lena's, allowed", "noor's, in danger", "noor's, waiting")}
MAY_ASK = {*THERAPISTS, *FLAG_READERS, "idris", "ines"}

# Who may open each page. An address that is not listed has not been thought about: that fails.
# A dictionary says it for each thing that an address can be about.
Audience = set[str] | Mapping[str, set[str]]
OPEN_TO: dict[str, Audience] = {
    "accounts.account": {*EVERYBODY},
    "accounts.address": {*EVERYBODY},
    "accounts.address_sent": {*EVERYBODY},
    "accounts.authenticator_page": {*EVERYBODY},
    "accounts.confirm_address": {*EVERYBODY},
    "accounts.demo_codes": set(),
    "accounts.keep_factor": ALL,
    "accounts.kept": set(),
    "accounts.new_passkey": {*EVERYBODY},
    "accounts.new_recovery_codes": set(),
    "accounts.passkey": set(),
    "accounts.password": {*EVERYBODY},
    "accounts.prove": {*EVERYBODY},
    "accounts.recovery_codes": set(),
    "accounts.recovery_codes_file": set(),
    "accounts.remove_authenticator": set(),
    "accounts.remove_passkey": set(),
    "accounts.second_step": set(),
    "accounts.secure": {*EVERYBODY},
    "accounts.signed_out": ALL,
    "accounts.take_back_address": ALL,
    "accounts.taken_back": ALL,
    "accounts.time_left": ALL,
    "accounts.check_mail": ALL,
    "accounts.confirm": ALL,
    "accounts.forgotten": ALL,
    "accounts.invitation": ALL,
    "accounts.reset": ALL,
    "accounts.reset_sent": ALL,
    "accounts.sign_in": ALL,
    "accounts.sign_up": ALL,
    "accounts.youth": ALL,
    "appointments.calendar": {"ann", "rosa"},
    "appointments.cancellation": {"ann", "rosa"},
    "appointments.consent": ANN,
    "appointments.show": {"ann", "rosa"},
    "appointments.times": {
        "ann's to rosa": ANN,
        "ben's to lena": {"ben"},
        "ben's to rosa": {"ben"},
    },
    "care.caseload": THERAPISTS,
    "care.ask_emergency": MAY_ASK,
    "care.closing": {**NOT_THEIRS, "ben's with sven, just ended": {"sven"}},
    "care.emergencies": MAY_ASK,
    "care.emergency": {
        "lena's, allowed": {"lena", "clara"},
        "noor's, in danger": {"noor", "clara"},
        "noor's, waiting": {"noor", "clara", "ines"},
    },
    "care.emergency_record": {
        "lena's, allowed": {"lena"},
        "noor's, in danger": {"noor"},
        "noor's, waiting": set(),
    },
    "care.ending": {**NOT_THEIRS, "ann's with rosa": ROSA},
    "care.episode": {**NOT_THEIRS, "ann's with rosa": {"rosa", "sven"}},
    "care.open_in_danger": {"noor"},
    "care.record": {"idris"},
    "care.records": {"idris"},
    "care.supervisor": {**NOT_THEIRS, "ann's with rosa": ANN},
    "consent.begin": CLIENTS,
    "consent.copy": ANN,
    "consent.document": ALL,
    "consent.index": CLIENTS,
    "consent.learning": CLIENTS,
    "consent.privacy": ALL,
    "consent.renewal": ANN,
    "consent.revocation": ANN,
    "consent.signature": ANN,
    "credentials.application": INES,
    "credentials.licence": INES,
    "credentials.queue": INES,
    "groups.cancel": ROSA,
    "groups.catalogue": ALL,
    "groups.edit": ROSA,
    "groups.enrol": CLIENTS,
    "groups.enrolment": ANN,
    "groups.leave": ANN,
    "groups.led": THERAPISTS,
    "groups.new": THERAPISTS,
    "groups.roster": ROSA,
    "groups.show": ALL,
    "intake.check": CLIENTS,
    "intake.flag": FLAG_READERS,
    "intake.flags": FLAG_READERS,
    "intake.index": CLIENTS,
    "intake.question": CLIENTS,
    "intake.result": CLIENTS,
    "intake.young": CLIENTS,
    "matches.ask": CLIENTS,
    "matches.inbox": THERAPISTS,
    "matches.index": CLIENTS,
    "matches.reach": THERAPISTS,
    "matches.request_page": {
        "ann's to rosa": {"ann", "rosa"},
        "ben's to lena": {"ben", "lena"},
        "ben's to rosa": {"ben", "rosa"},
    },
    "matches.review": CLIENTS,
    "matches.review_case": {"ben's": {"clara"}},
    "matches.reviews": {"clara"},
    "matches.what_if": CLIENTS,
    "matches.why_not": CLIENTS,
    "oversight.backups_page": INES,
    "oversight.disable": {"ann": set(), "ben": set(), "noor": INES},
    "oversight.documents": INES,
    "oversight.export_ledger": INES,
    "oversight.factor_resets_page": INES,
    "oversight.fairness": {"clara"},
    "oversight.index": INES,
    "oversight.invite": INES,
    "oversight.keys_page": INES,
    "oversight.ledger": INES,
    "oversight.ledger_key": ALL,
    "oversight.log": INES,
    "oversight.mail": set(),
    "oversight.mails": set(),
    # There is none without BACKUP_DIR.
    "oversight.new_backup": set(),
    "oversight.new_version": INES,
    "oversight.new_weights": INES,
    "oversight.replay_page": INES,
    "oversight.role_proposals": INES,
    "oversight.person": {"ann": set(), "ben": set(), "noor": INES},
    "oversight.rota": INES,
    "oversight.rotation": INES,
    "oversight.staff": INES,
    "oversight.weights": INES,
    "oversight.weights_preview": INES,
    "outcomes.own_track_record": THERAPISTS,
    "outcomes.track_record": {"clara", "ines"},
    "payments.receipt": ANN,
    "payments.returned": ANN,
    "privacy.download": CLIENTS,
    "privacy.erased": {"somebody's": set()},
    "privacy.erasure": CLIENTS,
    "privacy.kept": {"idris"},
    "privacy.openings": CLIENTS,
    "privacy.run": INES,
    "privacy.schedule": INES,
    "privacy.your_data": CLIENTS,
    "therapists.add_licence": THERAPISTS,
    "therapists.apply": ALL,
    "therapists.change_licence": {"omar's": set(), "rosa's": ROSA},
    "therapists.directory": ALL,
    "therapists.edit": THERAPISTS,
    "therapists.hours": THERAPISTS,
    "therapists.licences": THERAPISTS,
    "therapists.profile": THERAPISTS,
    "therapists.show": ALL,
    "therapists.supervisor": THERAPISTS,
    "therapists.withdraw_licence": {"omar's": set(), "rosa's": ROSA},
    "today.crisis": ALL,
    "today.health": ALL,
    "today.home": ALL,
    "today.security": ALL,
    "today.security_contact": set(),
    "today.styleguide": ALL,
    "today.today": {*EVERYBODY},
    "waiting.index": CLIENTS,
    "waiting.offer": {"ann's, only proposed": set(), "ben's": {"ben"}},
    "waiting.placement": {"ann's": {"clara"}, "ben's, offered": {"clara"}},
    "waiting.waiting_list": {"clara"},
}
# Who may send what; for everybody else nothing at all happens.
MAY_SEND: dict[str, Audience] = {
    **{
        endpoint: OPEN_TO[endpoint]
        for endpoint in (
            "accounts.account accounts.check_mail accounts.confirm accounts.forgotten "
            "accounts.invitation accounts.reset accounts.sign_in consent.begin consent.learning "
            "consent.renewal consent.revocation groups.cancel groups.edit groups.enrol "
            "groups.leave groups.new oversight.disable oversight.invite oversight.new_version "
            "oversight.rota "
            "therapists.add_licence therapists.apply therapists.change_licence therapists.edit "
            "therapists.hours therapists.supervisor therapists.withdraw_licence"
        ).split()
    },
    "accounts.add_passkey": {*EVERYBODY},
    "accounts.address": {*EVERYBODY},
    "accounts.begin_authenticator": {*EVERYBODY},
    "accounts.confirm_address": {*EVERYBODY},
    "accounts.confirm_authenticator": {*EVERYBODY},
    "accounts.end_browser": {"somebody's": {*EVERYBODY}},
    "accounts.end_other_browsers": {*EVERYBODY},
    "accounts.keep_factor": ALL,
    "accounts.keep_recovery_codes": {*EVERYBODY},
    "accounts.new_passkey_options": {*EVERYBODY},
    "accounts.passkey": set(),
    "accounts.passkey_options": ALL,
    "accounts.password": {*EVERYBODY},
    "accounts.prove": {*EVERYBODY},
    "accounts.prove_with_passkey": {*EVERYBODY},
    "accounts.recovery_codes": set(),
    "accounts.remove_authenticator": set(),
    "accounts.remove_passkey": set(),
    "accounts.second_step": set(),
    "accounts.sign_in_with_passkey": set(),
    "accounts.stay": {*EVERYBODY},
    "accounts.take_back_address": ALL,
    "accounts.taken_back": ALL,
    "accounts.throw_away": {*EVERYBODY},
    "accounts.end_every_browser": {*EVERYBODY},
    "accounts.open_account": ALL,
    "accounts.sign_out": {*EVERYBODY},
    "appointments.cancel": {"ann", "rosa"},
    "appointments.choose": OPEN_TO["appointments.times"],
    "appointments.sign": ANN,
    "care.answer_supervisor": OPEN_TO["care.supervisor"],
    "care.ask_emergency": OPEN_TO["care.ask_emergency"],
    "care.decide_emergency": {**CLARAS, "noor's, waiting": {"clara", "ines"}},
    "care.delay_notice": CLARAS,
    "care.end": OPEN_TO["care.ending"],
    "care.end_emergency": OPEN_TO["care.emergency"],
    "care.hand_late_note_over": {**NOT_THEIRS, "ben's with rosa, closed": ROSA},
    "care.open_in_danger": OPEN_TO["care.open_in_danger"],
    "care.review_emergency": CLARAS,
    "care.search_records": OPEN_TO["care.records"],
    "care.write": OPEN_TO["care.closing"],
    "credentials.confirm_reversal": set(),
    "credentials.decide_application": INES,
    "credentials.decide_licence": INES,
    "credentials.decline_reversal": set(),
    "credentials.npi_check": INES,
    "credentials.record_check": INES,
    "credentials.review": INES,
    "groups.publish": ROSA,
    "groups.screening": ROSA,
    "intake.change": CLIENTS,
    "intake.contact": FLAG_READERS,
    "intake.outcome": FLAG_READERS,
    "intake.save": CLIENTS,
    "intake.submit": CLIENTS,
    "matches.accept": {"ann's to rosa": ROSA, "ben's to lena": {"lena"}, "ben's to rosa": ROSA},
    "matches.alert": CLIENTS,
    "matches.answer_review": {"ben's": {"clara"}},
    "matches.ask_review": CLIENTS,
    "matches.decline": {"ann's to rosa": ROSA, "ben's to lena": {"lena"}, "ben's to rosa": ROSA},
    "matches.send": CLIENTS,
    "matches.set_place": CLIENTS,
    "matches.take_back": CLIENTS,
    "matches.try_wishes": CLIENTS,
    "matches.withdraw": OPEN_TO["appointments.times"],
    "matches.withdraw_review": {"ben's": {"ben"}},
    "oversight.back_up": set(),
    "oversight.check_ledger": INES,
    "oversight.download_ledger": INES,
    "oversight.confirm_factor_reset": set(),
    "oversight.count_fairness": {"clara"},
    "oversight.factor_resets_page": INES,
    "oversight.stop_factor_reset": set(),
    "oversight.agree_to_roles": set(),
    "oversight.refuse_roles": set(),
    "oversight.preview_weights": INES,
    "oversight.publish_weights": INES,
    "oversight.replay_list": INES,
    "oversight.enable": OPEN_TO["oversight.disable"],
    "oversight.rotate_keys": INES,
    "oversight.invite_again": OPEN_TO["oversight.disable"],
    "oversight.remove_shift": INES,
    "oversight.roles": OPEN_TO["oversight.disable"],
    "outcomes.agree_to_own_record": THERAPISTS,
    "outcomes.agree_to_track_record": INES,
    "outcomes.count_outcomes": {"clara"},
    "outcomes.end_track_record": {"clara", "ines"},
    "outcomes.propose_track_record": {"clara"},
    "outcomes.refuse_track_record": {"clara", "ines"},
    "outcomes.take_back_own_record": THERAPISTS,
    "payments.pay": ANN,
    "payments.webhook": ALL,
    "privacy.call_off": CLIENTS,
    "privacy.copy": CLIENTS,
    "privacy.erasure": CLIENTS,
    "privacy.lift_hold": {"somebody's": set()},
    "privacy.place_hold": INES,
    "privacy.run": INES,
    "therapists.agree_to_supervise": {"rosa": {"sven"}},
    "therapists.capacity": THERAPISTS,
    "therapists.confirm_hours": THERAPISTS,
    "therapists.decline_to_supervise": {"rosa": {"sven"}},
    "therapists.submission": THERAPISTS,
    "waiting.agree": OPEN_TO["waiting.offer"],
    "waiting.ask_for_run": {"clara"},
    # What a colleague has decided is said to whoever sends something about it.
    "waiting.change": {"ann's": {"clara"}, "ben's, offered": {"clara"}},
    "waiting.confirm": {"clara"},
    "waiting.confirm_one": {"ann's": {"clara"}, "ben's, offered": {"clara"}},
    "waiting.decline": OPEN_TO["waiting.offer"],
    "waiting.join": CLIENTS,
    "waiting.leave": CLIENTS,
    "waiting.reject": {"ann's": {"clara"}, "ben's, offered": {"clara"}},
    "waiting.withdraw_run": {"clara"},
}
WORDS_IN_ADDRESSES = {
    "page": "story",
    "section": "about",
    "purpose": "treatment",
    "token": "not-a-token",
}
PUBLIC_FILES = {"static", "styles.sheet"}
NOBODYS = set(
    "reversal mail browser factor_reset kept passkey reference hold role_proposal".split()
)
FEWEST_REQUESTS = 900

Rows = dict[str, list[tuple[Any, ...]]]


class Walk:
    """A browser for each person, and what every one of them has been shown."""

    def __init__(self, app: Flask, street: Street) -> None:
        self.app, self.street = app, street
        self.requests = 0
        self.seen: dict[str, set[str]] = {secret: set() for secret in READERS}
        self.browsers = {VISITOR: app.test_client()}
        for name in EVERYBODY:
            self.browsers[name] = self._signed_in(name)

    def _signed_in(self, name: str) -> FlaskClient:
        browser = self.app.test_client()
        with self.app.app_context():
            sign_in(browser, db.session.merge(self.street.people[name]))
        return browser

    def addresses(self, method: str) -> Iterator[tuple[str, str, str]]:
        """(endpoint, name of the thing, address) of everything that can be asked for or sent."""
        for rule in sorted(self.app.url_map.iter_rules(), key=lambda rule: rule.rule):
            if method in (rule.methods or ()) and rule.endpoint not in PUBLIC_FILES:
                yield from self._addresses_of(rule)

    def _addresses_of(self, rule: Rule) -> Iterator[tuple[str, str, str]]:
        names = re.findall(r"<(\w+):(\w+)>", rule.rule)
        words = {name: WORDS_IN_ADDRESSES[name] for kind, name in names if kind == "string"}
        kinds = [name for kind, name in names if kind == "uuid"]
        for thing, values in self._things(kinds):
            with self.app.test_request_context():
                yield rule.endpoint, thing, self.app.url_for(rule.endpoint, **words, **values)

    def _things(self, kinds: list[str]) -> Iterator[tuple[str, dict[str, uuid.UUID]]]:
        if not kinds:
            yield "", {}
        elif kinds == ["group", "enrolment"]:
            things = self.street.things
            group = things["group"]["the screened one"]
            yield "", {"group": group, "enrolment": things["enrolment"]["ann's request"]}
        elif kinds[0] in NOBODYS:
            yield "somebody's", {kinds[0]: uuid.uuid4()}
        else:
            for thing, public_id in self.street.things[kinds[0]].items():
                yield thing, {kinds[0]: public_id}

    def ask(self, name: str, address: str, method: str = "GET") -> Any:
        """The answer to one person, read for every secret."""
        answer = self.browsers[name].open(address, method=method)
        self.requests += 1
        assert answer.status_code < 500, (name, method, address, answer.status_code)
        told = text_of(answer) + str(answer.headers)
        for secret in READERS:
            if canary(secret) in told:
                self.seen[secret].add(name)
                assert name in READERS[secret], f"{name} reads “{secret}” at {address}"
        return answer


@pytest.fixture
def bank(app: Flask) -> Iterator[Bank]:
    with bank_for(app) as bank:
        yield bank


@pytest.fixture
def walk(app: Flask, bank: Bank, caplog: pytest.LogCaptureFixture) -> Walk:
    """The street with Ann's seat paid for and everything that was to be sent sent."""
    caplog.set_level(logging.DEBUG)
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context(), unit_of_work() as session:
        street = build(session)
    walk = Walk(app, street)
    walk.ask("ann", f"/enrolments/{street.order_seat}/payment", "POST")
    bank.pay(street.things["order"]["ann's"])
    bank.deliver()
    bank.carry_out()
    return walk


@dataclass(frozen=True)
class Visit:
    """What one person was answered at one address."""

    endpoint: str
    thing: str
    address: str
    name: str
    status: int
    opened: bool
    empty: bool
    kind: str
    charset: str | None
    is_page: bool
    can_be_left: bool


@dataclass(frozen=True)
class Round:
    """Every address, asked for by everybody; the rows before and after, and what went out."""

    visits: list[Visit]
    seen: dict[str, set[str]]
    before: Rows
    after: Rows
    left: dict[str, str]


ROUNDS: list[Round] = []
# Those who look at it share one: it takes a worker as long as a hundred other tests.
one_round = pytest.mark.xdist_group("everybody everywhere")


@pytest.fixture
def everybody_everywhere(request: pytest.FixtureRequest, database_url: str) -> Callable[[], Round]:
    """What came of the round; whoever asks first waits for it. Needs the database of `walk`."""

    def look() -> Round:
        if not ROUNDS:
            names = ("walk", "bank", "caplog")
            ROUNDS.append(go_round(*(request.getfixturevalue(name) for name in names)))
        return ROUNDS[0]

    return look


def go_round(walk: Walk, bank: Bank, caplog: pytest.LogCaptureFixture) -> Round:
    clock = walk.app.extensions["clock"]
    with walk.app.app_context():
        seal_now(clock.now())
    before = everything_kept(walk.app)
    visits = [
        visit_of(endpoint, thing, address, name, walk.ask(name, address))
        for endpoint, thing, address in walk.addresses("GET")
        for name in sorted(ALL)
    ]
    after = everything_kept(walk.app)
    drain(walk.app, clock.now(), most=10_000)
    events = json.dumps(bank.sandbox.events())
    left = {**what_left(walk.app), "logs": caplog.text, "bank": events}
    return Round(visits, walk.seen, before, after, left)


def visit_of(endpoint: str, thing: str, address: str, name: str, answer: Any) -> Visit:
    text = answer.get_data(as_text=True) if answer.mimetype.startswith("text/") else ""
    return Visit(
        endpoint, thing, address, name, answer.status_code, is_open(answer), not answer.data,
        answer.mimetype, answer.mimetype_params.get("charset"),
        'id="main"' in text, 'action="/sign-out"' in text,
    )  # fmt: skip


@one_round
def test_nobody_opens_a_page_that_is_not_theirs(
    everybody_everywhere: Callable[[], Round],
) -> None:
    found = everybody_everywhere()
    for one in found.visits:
        audience = audience_of(OPEN_TO, one.endpoint, one.thing)
        assert one.opened == (one.name in audience), (
            f"{one.name} got {one.status} from {one.address} ({one.endpoint}, {one.thing})"
        )
    assert len(found.visits) > FEWEST_REQUESTS
    # Without this the walk could pass by showing nothing to anybody.
    for secret, readers in READERS.items():
        assert found.seen[secret] == readers, f"nobody but {found.seen[secret]} reads “{secret}”"


def test_what_strangers_send_changes_nothing(walk: Walk) -> None:
    before = everything_kept(walk.app)
    sent = 0
    for endpoint, thing, address in walk.addresses("POST"):
        for name in sorted(ALL - audience_of(MAY_SEND, endpoint, thing)):
            answer = walk.ask(name, address, "POST")
            assert not is_open(answer), f"{name} got {answer.status_code} from {address}"
            sent += 1
    assert sent > FEWEST_REQUESTS // 2
    assert everything_kept(walk.app) == before


def test_an_empty_form_is_answered_and_never_breaks_anything(walk: Walk) -> None:
    last = ("accounts.sign_out", "accounts.end_every_browser")
    addresses = sorted(walk.addresses("POST"), key=lambda one: (one[0] in last, one))
    for endpoint, thing, address in addresses:
        for name in sorted(audience_of(MAY_SEND, endpoint, thing)):
            answer = walk.ask(name, address, "POST")
            assert answer.status_code in {200, 303, 400, 404, 409, 410, 422}, (endpoint, name)


@one_round
def test_no_secret_leaves_in_a_mail_a_log_or_to_the_payment_company(
    everybody_everywhere: Callable[[], Round],
) -> None:
    places = everybody_everywhere().left
    for place, text in places.items():
        assert text, f"nothing was written to {place}, so nothing is shown"
        for secret in READERS:
            assert canary(secret) not in text, f"“{secret}” is in {place}"
    # Which group it was, and that Rosa is the therapist, is nobody's business either.
    for place in ("mails", "outbox", "audit", "logs", "bank"):
        assert TITLE not in places[place]
    for place in ("mails", "outbox", "bank"):
        assert "Rosa" not in places[place]


def test_an_error_tells_nothing_of_what_failed(
    walk: Walk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_arguments: object, **_values: object) -> None:
        raise RuntimeError(canary("ben's story, shared with nobody"))

    walk.app.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setattr("practice.intake.views.render_template", fail)
    answer = walk.browsers["ben"].get("/intake/result")
    walk.app.config["PROPAGATE_EXCEPTIONS"] = True
    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.text
    assert "canary" not in answer.text
    assert "canary" not in caplog.text


def audience_of(table: Mapping[str, Audience], endpoint: str, thing: str) -> set[str]:
    assert endpoint in table, f"nobody has said who may open {endpoint}"
    audience = table[endpoint]
    return set(audience) if isinstance(audience, set | frozenset) else set(audience[thing])


def is_open(answer: Any) -> bool:
    """Whether somebody got in: neither turned away as not found nor asked to sign in."""
    to_sign_in = "/sign-in" in answer.headers.get("Location", "")
    return answer.status_code != 404 and not to_sign_in


def everything_kept(app: Flask) -> Rows:
    """Every row of every table, save who is signed in and who tried."""
    skipped = {SignInSession.__tablename__, SignInAttempt.__tablename__}
    with app.app_context(), db.engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(ordered(table))]
            for table in Base.metadata.sorted_tables
            if table.name not in skipped
        }


def ordered(table: sa.Table) -> sa.Select[Any]:
    return sa.select(table).order_by(*table.primary_key.columns)


def text_of(answer: Any) -> str:
    """What an answer says; of an archive what is packed into it."""
    if answer.mimetype != "application/zip":
        return answer.get_data(as_text=True)
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        return "\n".join(archive.read(name).decode() for name in archive.namelist())


def what_left(app: Flask) -> dict[str, str]:
    """Everything that was sent or written down outside the records themselves."""
    with app.app_context():
        mails = db.session.scalars(sa.select(KeptMail)).all()
        payloads = [one.payload for one in db.session.scalars(sa.select(OutboxMessage))]
        acts = db.session.execute(sa.select(AuditEntry.action, AuditEntry.details)).all()
        return {
            "mails": "\n".join(f"{one.subject}\n{one.body}\n{one.attachment}" for one in mails),
            "outbox": json.dumps(payloads),
            "audit": json.dumps([tuple(act) for act in acts]),
        }
