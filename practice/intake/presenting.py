"""What the intake's pages show, gathered from rows and rules."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from practice.intake import duty
from practice.intake.answers import Answers, is_risky, minutes_left, shown_pages
from practice.intake.in_words import in_words
from practice.intake.instruments import INSTRUMENTS, Instrument
from practice.intake.models import Assessment, Intake, IntakeAnswer, RiskFlag
from practice.intake.pages import BY_KEY, Page, Part
from practice.intake.queries import answers_of, newest_flag_of
from practice.intake.scoring import Score, ScoreStatus
from practice.intake.words import ResultWords, result_words
from practice.places import PLACES

# For so long the page repeats what it promised at first; later it looks at the rota anew.
PROMISE_STANDS = timedelta(minutes=15)
HAS_READ = "A clinician has read this answer."
OWN_TEMPLATES = ("concerns", "concern-weights", "payment", "hours", "wishes", "style")


def template_of(page: Page) -> str:
    """Pages with a shape of their own have a template of their own."""
    return f"intake/{page.key if page.key in OWN_TEMPLATES else 'question'}.html"


class Progress:
    """How far along a page is: `step` of `steps`, in which part, how many minutes are left."""

    def __init__(self, page: Page, answers: Answers) -> None:
        shown = list(shown_pages(answers))
        self.step = shown.index(page) + 1 if page in shown else 1
        self.steps = len(shown)
        self.part = page.part
        self.parts = len(Part)
        self.minutes = minutes_left(page, answers)


@dataclass(frozen=True)
class CheckLine:
    page: Page
    words: list[str]
    is_open: bool


@dataclass(frozen=True)
class CheckPart:
    """One part of the list of answers."""

    part: Part
    lines: list[CheckLine]

    @property
    def open_count(self) -> int:
        return sum(line.is_open for line in self.lines)


def check_parts(answers: Answers) -> list[CheckPart]:
    lines = [_check_line(page, answers) for page in shown_pages(answers)]
    return [CheckPart(part, [line for line in lines if line.page.part is part]) for part in Part]


def _check_line(page: Page, answers: Answers) -> CheckLine:
    if page.key not in answers:
        return CheckLine(page, ["Not answered yet"], is_open=True)
    return CheckLine(page, in_words(page.key, answers[page.key]), is_open=False)


@dataclass(frozen=True)
class Result:
    """A scored sheet on the client's page about themselves."""

    instrument: Instrument
    assessment: Assessment
    words: ResultWords

    @property
    def answered(self) -> int:
        return sum(response is not None for response in self.assessment.responses)


def results_of(assessments: dict[str, Assessment]) -> list[Result]:
    """In the order in which the questionnaires were asked; an empty sheet is left out."""
    shown = ("phq-9", "gad-7")
    results = [_result(assessments[code]) for code in shown if code in assessments]
    return [result for result in results if result.answered]


def _result(assessment: Assessment) -> Result:
    instrument = INSTRUMENTS[assessment.instrument]
    return Result(instrument, assessment, result_words(instrument, score_of(assessment)))


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
        self.waited = at - flag.raised_at
        self.where = PLACES[flag.client.place].name if flag.client.place in PLACES else ""
        self.local_time = at.astimezone(ZoneInfo(flag.client.zone))

    @property
    def answer_now(self) -> str:
        """The same question as it stands now, empty when the answers are no longer kept."""
        given = answers_of(self._flag.intake)
        return in_words(self._flag.source, given[self._flag.source])[0] if given else ""
