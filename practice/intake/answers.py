"""Reading the answers of an intake: what its pages' values say together, and what comes next.

`answers` is always {page key: value} as `queries.answers_of` gives it.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from math import ceil
from typing import Any

from practice.intake.instruments import Instrument
from practice.intake.pages import BY_KEY, PAGES, Page, item_key

ADULT_AGE = 18
UNWEIGHED = 2

Answers = Mapping[str, Any]


def weighed_concerns(answers: Answers) -> dict[str, int]:
    """Each concern with its weight, 1 to 3; one that was not weighed counts as 2."""
    weights = answers.get("concern-weights") or {}
    return {code: weights.get(code, UNWEIGHED) for code in answers.get("concerns") or ()}


def responses(answers: Answers, instrument: Instrument) -> list[int | None]:
    """The sheet of an instrument in the order of its items; None is skipped or not reached."""
    return [answers.get(item_key(instrument, item.number)) for item in instrument.items]


def is_under_age(birth_year: int, at: datetime) -> bool:
    """Whether somebody born that year is surely not an adult yet.

    Those who turn eighteen this year said at sign-up that they are adults; that word counts.
    """
    return at.year - birth_year < ADULT_AGE


def shown_pages(answers: Answers) -> Iterator[Page]:
    """The pages that make sense after these answers: no weights without concerns."""
    for page in PAGES:
        if page.key != "concern-weights" or answers.get("concerns"):
            yield page


def page_after(page: Page, answers: Answers) -> Page | None:
    """The next page, or None after the last."""
    later = PAGES[PAGES.index(page) + 1 :]
    shown = set(shown_pages(answers))
    return next((one for one in later if one in shown), None)


def page_before(page: Page, answers: Answers) -> Page | None:
    earlier = PAGES[: PAGES.index(page)]
    shown = set(shown_pages(answers))
    return next((one for one in reversed(earlier) if one in shown), None)


def first_open_page(answers: Answers) -> Page | None:
    """Where to resume: the first page neither answered nor skipped, or None."""
    return next((page for page in shown_pages(answers) if page.key not in answers), None)


def open_pages(answers: Answers) -> list[Page]:
    return [page for page in shown_pages(answers) if page.key not in answers]


def minutes_left(page: Page, answers: Answers) -> int:
    """Whole minutes from this page to the end, at least 1."""
    shown = [one for one in shown_pages(answers) if PAGES.index(one) >= PAGES.index(page)]
    return max(1, ceil(sum(one.seconds for one in shown) / 60))


def is_risky(page_key: str, value: Any) -> bool:
    """Whether this answer starts the risk path, whatever the rest of the sheet says."""
    page = BY_KEY.get(page_key)
    return page is not None and page.is_risk_item and value is not None and value > 0
