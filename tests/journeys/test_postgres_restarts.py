"""PostgreSQL crashes and comes back under load: kind pages meanwhile, healthy again by itself.

The real web server over a cluster of its own, which keeps what it has committed. Nobody restarts
the web server; nobody waits without an answer; what was acknowledged is there afterwards.
"""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from bs4 import BeautifulSoup

from core.database import db, unit_of_work
from practice.accounts.models import Role
from practice.accounts.passwords import hash_password
from practice.app import create_app
from tests.builders.accounts import make_client, make_user
from tests.builders.groups import make_group
from tests.journeys.house import House, answers, wait_for
from tests.journeys.people import PASSWORD, address_of
from tests.journeys.plain import PlainBrowser
from tests.postgres import Cluster

CRASHES = 6
HEALTHY_WITHIN = 10.0
# A moment between two requests of one browser, so that browsers leave the server some of the time.
PAUSE = 0.02
ENOUGH = 5
NAME = "What should we call you?"
# What an error would say of the server, and what a page must say instead.
WORDS = ("psycopg", "sqlalchemy", "traceback", "operationalerror", "terminat", "connection to")
HELP = "988"

pytestmark = [pytest.mark.prove, pytest.mark.timeout(1800)]


@dataclass(frozen=True)
class Answer:
    """When it was asked for, on the clock that only goes forward, and how it was answered."""

    asked_at: float
    address: str
    status: int
    page: str

    @property
    def is_well(self) -> bool:
        return self.status == 200


class Person(PlainBrowser):
    """A browser that asks again and again, and keeps how it was answered."""

    def __init__(self, base: str, name: str = "", pages: tuple[str, ...] = ()) -> None:
        super().__init__(base)
        # One that is kept open may be closed by the server just as it is used again.
        self._http.headers["Connection"] = "close"
        self.who, self.pages = name, pages
        self.answers: list[Answer] = []
        self.errors: list[str] = []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.go_on_asking, daemon=True)

    def sign_in(self) -> None:
        self.open("/sign-in")
        self.fill("E-mail address", address_of(self.who))
        self.fill("Password", PASSWORD)
        self.press("Sign in")
        assert self.status == 200, self
        assert "/sign-in" not in self.address, self

    def go_on_asking(self) -> None:
        while not self.stopping.wait(PAUSE):
            try:
                self.ask()
            except (requests.RequestException, AssertionError) as error:
                self.errors.append(f"{self.who or 'a visitor'}: {type(error).__name__}: {error}")

    def ask(self) -> None:
        for page in self.pages:
            self.open(page)
            if self.who and self.status == 200:
                assert "/sign-in" not in self.address, "signed out by the crash"

    def _take(self, answer: requests.Response) -> None:
        """Unlike other browsers this one may meet a page for errors."""
        asked_at = time.monotonic() - sum(
            (one.elapsed.total_seconds() for one in (*answer.history, answer)), 0.0
        )
        self.was_accepted = any(one.status_code == 303 for one in answer.history)
        self.address, self.status = answer.url, answer.status_code
        self._page = BeautifulSoup(answer.text, "html.parser")
        self.answers.append(Answer(asked_at, answer.url, answer.status_code, answer.text))

    def fared(self, since: float) -> list[Answer]:
        return [one for one in list(self.answers) if one.asked_at >= since]


class Writer(Person):
    """Changes their name to the next number, and looks each time whether the last is kept."""

    attempted = acknowledged = 0

    def ask(self) -> None:
        self.open("/account")
        if self.status != 200:
            return
        kept = int(str(self._labelled(NAME)["value"]).split()[-1])
        assert self.acknowledged <= kept <= self.attempted, f"{self.acknowledged} is lost: {kept}"
        self.attempted += 1
        self.fill(NAME, f"Sam {self.attempted}")
        self.press("Save")
        if self.was_accepted:
            self.acknowledged = self.attempted


@dataclass
class Load:
    people: list[Person]
    healthy_after: list[float] = field(default_factory=list)

    def start(self) -> None:
        for one in self.people:
            one.thread.start()

    def stop(self) -> None:
        for one in self.people:
            one.stopping.set()
        for one in self.people:
            one.thread.join(timeout=120)
            assert not one.thread.is_alive(), "somebody waits for an answer that never comes"

    def wait_for(self, is_well: bool, since: float, number: int) -> None:
        """Until each of them has been answered this way, so often."""
        wait_for(
            lambda: all(
                sum(answer.is_well is is_well for answer in one.fared(since)) >= number
                for one in self.people
            ),
            lambda: f"{[(one.who, one.fared(since)[-1:], one.errors) for one in self.people]}",
            within=120,
        )


@pytest.fixture
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    if request.config.getoption("--database") == "sqlite":
        pytest.skip("SQLite has no server that could be restarted")
    cluster = Cluster.start(fsync=True)
    yield cluster
    cluster.stop()


@pytest.fixture
def house(cluster: Cluster, tmp_path: Path) -> Iterator[House]:
    house = House.over(cluster.create_database(), tmp_path)
    house.migrate()
    with create_app(house.settings).app_context():
        build_people()
        db.session.remove()
        db.engine.dispose()
    house.start("web")
    wait_for(lambda: answers(f"{house.base}/"), "the web server does not answer")
    yield house
    house.stop()


def build_people() -> None:
    at = datetime.now(UTC)
    with unit_of_work() as session:
        make_group(session, at=at)
        for name in ("reader0", "reader1", "writer0", "writer1"):
            user = make_user(
                session, address_of(name), roles=(Role.client,),
                password_hash=hash_password(PASSWORD), at=at,
            )  # fmt: skip
            make_client(session, user=user, preferred_name="Sam 0", at=at)


def test_after_a_crash_of_postgresql_everything_works_within_ten_seconds(
    house: House, cluster: Cluster
) -> None:
    processes = web_processes(house)
    load = Load([
        Person(house.base, pages=("/therapists", "/groups")),
        Person(house.base, pages=("/groups", "/sign-in", "/therapists")),
        *(Person(house.base, f"reader{n}", ("/today", "/consents", "/account")) for n in (0, 1)),
        *(Writer(house.base, f"writer{n}") for n in (0, 1)),
    ])  # fmt: skip
    for one in load.people:
        if one.who:
            one.sign_in()
    load.start()
    for number in range(CRASHES):
        crash(load, cluster, long=number % 2 == 0)
    load.stop()
    assert web_processes(house) == processes
    assert [one.errors for one in load.people if one.errors] == []
    assert_kind_and_never_broken(load)
    assert max(load.healthy_after) <= HEALTHY_WITHIN, load.healthy_after
    tell(load)


def crash(load: Load, cluster: Cluster, *, long: bool) -> None:
    """It goes away under everybody's hands; if `long`, until everybody has noticed."""
    load.wait_for(True, time.monotonic(), ENOUGH)
    gone_at = time.monotonic()
    cluster.go_away()
    if long:
        load.wait_for(False, gone_at, ENOUGH)
    cluster.come_back()
    back_at = time.monotonic()
    load.wait_for(True, back_at + HEALTHY_WITHIN, ENOUGH)
    broken = [one.asked_at for who in load.people for one in who.fared(back_at) if not one.is_well]
    load.healthy_after.append(max(broken, default=back_at) - back_at)


def assert_kind_and_never_broken(load: Load) -> None:
    """Each answer is the page, or one that says to try again and whom to call meanwhile."""
    everything = [answer for one in load.people for answer in one.answers]
    for answer in everything:
        assert answer.status in {200, 503}, answer
        if answer.status == 503:
            assert HELP in answer.page, answer
            assert [word for word in WORDS if word in answer.page.lower()] == []


def web_processes(house: House) -> set[str]:
    """The web server and its workers, by number: none was started anew."""
    [first] = [process.pid for process in house._running.values()]
    children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
    return {str(first), *children}


def tell(load: Load) -> None:
    everything = [answer for one in load.people for answer in one.answers]
    away = sum(answer.status == 503 for answer in everything)
    kept = sum(one.acknowledged for one in load.people if isinstance(one, Writer))
    print(f"{len(everything)} answers, {away} of them 503; {kept} writes acknowledged and kept")
    print(f"healthy after {[f'{one:.2f} s' for one in load.healthy_after]}")
