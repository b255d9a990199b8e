"""Stories are told twice: over HTTP without JavaScript, and in a real Chromium."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, sync_playwright

from core.clock import FrozenClock
from core.config import Settings
from core.database import db, unit_of_work
from core.migrating import upgrade
from practice.consent.operations import ensure_documents
from practice.matches.operations import ensure_weights
from tests.conftest import empty_database
from tests.journeys.chromium import IDLE, SEEN, Chromium, launch
from tests.journeys.plain import PlainBrowser
from tests.journeys.town import Town

Anybody = PlainBrowser | Chromium
TELEPHONE = 390


@pytest.fixture(scope="session")
def whole_town(settings: Settings) -> Iterator[Town]:
    town = Town.build(replace(settings, demo=True))
    with town.app.app_context():
        upgrade(db.engine)
    yield town
    town.close()


@pytest.fixture
def town(whole_town: Town) -> Iterator[Town]:
    """A running world without people, its texts published; the clock shows today."""
    make_ready(whole_town)
    yield whole_town
    leave(whole_town)


def make_ready(town: Town) -> None:
    town.clock.move_to(datetime.now(UTC).replace(microsecond=0))
    town.faults.clear()
    with town.app.app_context():
        empty_database(db.engine)
        with unit_of_work() as session:
            ensure_documents(session, town.clock.now())
            ensure_weights(session, town.clock.now())


def leave(town: Town) -> None:
    """It shares its database with every other test, and some want that for themselves."""
    with town.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def chromium(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Browser]:
    folder = tmp_path_factory.getbasetemp()
    # The folders of a run's workers stand in one that is the run's.
    is_worker = hasattr(request.config, "workerinput")
    SEEN.share((folder.parent if is_worker else folder) / "looked-at")
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        IDLE.clear()
        browser.close()


@pytest.fixture(params=["plain", pytest.param("chromium", marks=pytest.mark.browser)])
def browse(request: pytest.FixtureRequest, town: Town) -> Iterator[Callable[..., Anybody]]:
    """Makes one person's browser, a telephone unless a width in pixels is given.

    At the end Chromium's must have met nothing amiss.
    """
    opened: list[Anybody] = []

    def make(*, width: int = TELEPHONE) -> Anybody:
        if request.param == "plain":
            opened.append(PlainBrowser(town.base))
        else:
            opened.append(Chromium.lent(request.getfixturevalue("chromium"), town.base, width))
        return opened[-1]

    yield make
    for browser in opened:
        browser.close()
    assert not town.faults, town.faults[0]
    for browser in opened:
        if isinstance(browser, Chromium):
            assert not browser.findings, "\n".join(browser.findings)
            assert not browser.errors, browser.errors
            assert browser.foreign <= {town.settings.stripe_api_base}, browser.foreign


@pytest.fixture
def clock(town: Town) -> FrozenClock:
    return town.clock
