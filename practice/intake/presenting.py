"""What the intake's pages show, gathered from rows and rules."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from practice.hours import DAY_CODES, DAYPARTS, WEEKDAYS
from practice.intake import duty
from practice.intake.answers import Answers, is_risky, minutes_left, shown_pages
from practice.intake.forms import MAY_BE_MUST, PageForm
from practice.intake.in_words import in_words, wish_names
from practice.intake.instruments import INSTRUMENTS, Instrument
from practice.intake.models import Assessment, Intake, IntakeAnswer, RiskFlag
from practice.intake.pages import BY_KEY, Page, Part
from practice.intake.queries import answers_of, newest_flag_of
from practice.intake.scoring import Score, ScoreStatus
from practice.intake.words import ResultWords, result_words
from practice.places import PLACES
from practice.vocabularies import vocabulary

# For so long the page repeats what it promised at first; later it looks at the rota anew.
PROMISE_STANDS = timedelta(minutes=15)
# The languages most spoken at home in the United States (Census Bureau, ACS), and sign language.
OFTEN_SPOKEN = frozenset("en es ase cmn yue tl vi ar fr ko ru ht pt".split())
UNITS = (
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
)
NOT_YET = "Not answered yet"
HAS_READ = "A clinician has read this answer."
TOPICS = {"phq-9": "Low mood", "gad-7": "Anxiety"}
OWN_FIELDS = "concerns concern-weights languages payment hours wishes style about-you".split()


def fields_of(page: Page) -> str:
    """The template of a page's fields; pages with a shape of their own have one of their own."""
    return f"intake/questions/{page.key if page.key in OWN_FIELDS else 'plain'}.html"


def extras_of(page: Page, form: PageForm) -> dict[str, Any]:
    """What the template of a page with a shape of its own shows beside its form."""
    return EXTRAS[page.key](form) if page.key in EXTRAS else {}


@dataclass(frozen=True)
class ChipGroup:
    """Choices under one heading: (code, label), and how many of them are chosen."""

    heading: str
    choices: list[tuple[str, str]]
    chosen: int


def _concern_groups(form: PageForm) -> dict[str, Any]:
    chosen = set(form["value"].data or ())
    groups = vocabulary("concerns").groups().items()
    return {
        "groups": [
            ChipGroup(heading, choices, sum(code in chosen for code, _ in choices))
            for heading, choices in groups
        ]
    }


def _languages(form: PageForm) -> dict[str, Any]:
    """Those most spoken at home and those already chosen come first; the rest can be opened."""
    first = {*OFTEN_SPOKEN, *(form["value"].data or ())}
    choices = form["value"].choices
    return {
        "often": [choice for choice in choices if choice[0] in first],
        "others": [choice for choice in choices if choice[0] not in first],
    }


def _week(_form: PageForm) -> dict[str, Any]:
    week = {
        day: [(f"{code}-{part.code}", part.label) for part in DAYPARTS]
        for day, code in zip(WEEKDAYS, DAY_CODES, strict=True)
    }
    return {"dayparts": DAYPARTS, "week": week}


def _wish_parts(form: PageForm) -> dict[str, Any]:
    others = [name for name in wish_names() if name not in MAY_BE_MUST]
    return {
        "approaches": vocabulary("approaches").terms,
        "others": others,
        "others_chosen": any(form[f"{name}-want"].data for name in others),
    }


EXTRAS: dict[str, Callable[[PageForm], dict[str, Any]]] = {
    "concerns": _concern_groups,
    "languages": _languages,
    "hours": _week,
    "wishes": _wish_parts,
    "style": lambda _form: {"axes": vocabulary("style").terms},
    "about-you": lambda _form: {"names": vocabulary("about_you").codes},
}


class Progress:
    """How far along a page is: `step` of `steps`, in which part, how many minutes are left."""

    def __init__(self, page: Page, answers: Answers) -> None:
        shown = list(shown_pages(answers))
        self.step = shown.index(page) + 1 if page in shown else 1
        self.steps = len(shown)
        self.part = page.part
        self.parts = len(Part)
        self.minutes = minutes_left(page, answers)

    @property
    def share(self) -> int:
        """Per cent of the pages that lie behind."""
        return round(100 * (self.step - 1) / self.steps)


@dataclass(frozen=True)
class CheckPart:
    """One part of the list of answers: rows of question, answer in lines, and its page."""

    part: Part
    rows: list[tuple[str, str, Page]]


def check_parts(answers: Answers) -> list[CheckPart]:
    pages = list(shown_pages(answers))
    return [
        CheckPart(part, [_check_row(page, answers) for page in pages if page.part is part])
        for part in Part
    ]


def _check_row(page: Page, answers: Answers) -> tuple[str, str, Page]:
    given = in_words(page.key, answers[page.key]) if page.key in answers else [NOT_YET]
    return page.asks, "\n".join(given), page


@dataclass(frozen=True)
class Result:
    """A scored sheet on the client's page about themselves."""

    topic: str
    instrument: Instrument
    assessment: Assessment
    words: ResultWords

    @property
    def answered(self) -> int:
        return sum(response is not None for response in self.assessment.responses)


def results_of(assessments: dict[str, Assessment]) -> list[Result]:
    """In the order in which the questionnaires were asked; an empty sheet is left out."""
    results = [_result(assessments[code]) for code in TOPICS if code in assessments]
    return [result for result in results if result.answered]


def _result(assessment: Assessment) -> Result:
    instrument = INSTRUMENTS[assessment.instrument]
    words = result_words(instrument, score_of(assessment))
    return Result(TOPICS[instrument.code], instrument, assessment, words)


def score_of(assessment: Assessment) -> Score:
    kept = assessment.result
    return Score(kept["total"], kept["band"], ScoreStatus(kept["status"]), kept["risk"])


def crisis_words(intake: Intake | None, at: datetime, *, lasting: bool = False) -> str | None:
    """Who reads a risky answer and when, or None when no panel is due.

    The panel stands on the page that follows the answer; with `lasting`, on any page as long as
    the answer stands.
    """
    answer = _risky_answer(intake)
    if intake is None or answer is None:
        return None
    if not lasting and answer.answered_at < max(one.answered_at for one in intake.answers):
        return None
    return _reading_words(newest_flag_of(intake), answer, at)


def _risky_answer(intake: Intake | None) -> IntakeAnswer | None:
    answers = intake.answers if intake else ()
    return next((one for one in answers if is_risky(one.page, one.value)), None)


def _reading_words(flag: RiskFlag | None, answer: IntakeAnswer, at: datetime) -> str:
    if flag is None:
        return ""
    if any(reading.read_at >= answer.answered_at for reading in flag.readings):
        return HAS_READ
    return promise_standing(flag, at)


def promise_standing(flag: RiskFlag, at: datetime) -> str:
    """What was promised when the flag was raised; after a while, what the rota says now."""
    if at - flag.raised_at < PROMISE_STANDS:
        return flag.promised
    return duty.promise(at, flag.client.zone)


class FlagView:
    """What raised a flag, in the words that were asked and answered."""

    def __init__(self, flag: RiskFlag, at: datetime) -> None:
        self._flag = flag
        self.page = BY_KEY[flag.source]
        self.instrument = INSTRUMENTS[self.page.instrument]
        self.answer = in_words(flag.source, flag.raised_by["answer"])[0]
        self.waited = waited_words(at - flag.raised_at)
        self.where = PLACES[flag.client.place].name if flag.client.place in PLACES else ""
        self.local_time = at.astimezone(ZoneInfo(flag.client.zone))

    @property
    def answer_now(self) -> str:
        """The same question as it stands now, empty when the answers are no longer kept."""
        given = answers_of(self._flag.intake)
        return in_words(self._flag.source, given[self._flag.source])[0] if given else ""


def source_words(flag: RiskFlag) -> str:
    """What raised a flag, without a word about the person: "PHQ-9, question 9"."""
    page = BY_KEY[flag.source]
    return f"{INSTRUMENTS[page.instrument].short_name}, question {page.item}"


def waited_words(waited: timedelta) -> str:
    """ "3 hours", "1 day": the largest unit that fits, rounded down."""
    for name, unit in UNITS:
        if (count := waited // unit) > 0:
            return f"{count} {name}{'s' if count > 1 else ''}"
    return "less than a minute"
