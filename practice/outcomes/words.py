"""Counts in words and pictures: figures → what the two pages show. Broad figures, never a rank."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matching.learning.calibrating import Verdict
from matching.learning.effects import ENOUGH_CASES
from practice.matches.market.domains import domain_labels
from practice.matches.market.track_record import TrackRecordReport, is_damaged

VERDICTS = {
    Verdict.honest: "what came is about what was promised",
    Verdict.boasting: "it promised more than came",
    Verdict.modest: "it promised less than came",
    Verdict.unclear: "too little to judge",
}
FEWEST = ENOUGH_CASES
# A picture of the promise ends here; what lies beyond is as far out as makes no difference.
FARTHEST = 1.0
# Less than a tenth of a standard deviation is as good as nothing.
SLIGHT = 0.1
MOST_SHOWN = 0.6
# As finely as a therapist's own page speaks. From a day to the next one client more or fewer must
# not be read off it: nobody is told who agreed.
BY_CASES = 5
BY_EFFECT = 0.05


@dataclass(frozen=True)
class Row:
    """A line of the picture: `middle` between `least` and `most`, with a word."""

    group: str
    verdict_words: str
    least: float
    middle: float
    most: float
    verdict: str = "alike"


Picture = list[tuple[str, list[Row], str]]


@dataclass(frozen=True)
class Counted:
    """The last count, of all together; without a `ratio` nothing was promised or nothing came."""

    cases: int
    therapists: int
    ratio: str
    between: str
    verdict: str
    picture: Picture

    @property
    def reach(self) -> float:
        return FARTHEST


@dataclass(frozen=True)
class Part:
    """One heading in which a therapist has cases enough: so many `cases` or a few more."""

    heading: str
    cases: int
    effect: str
    between: str


@dataclass(frozen=True)
class Own:
    """One therapist's own record: so many `cases` or a few more.

    `severity` and `lifted` are sentences.
    """

    cases: int
    severity: str
    lifted: str
    overall: str
    picture: Picture
    parts: list[Part]

    @property
    def reach(self) -> float:
        return MOST_SHOWN


def counted(report: TrackRecordReport) -> Counted | None:
    """None for one that is damaged."""
    if is_damaged(report):
        return None
    figures = report.figures
    verdict = Verdict(figures["verdict"])
    return Counted(
        cases=report.cases,
        therapists=figures["therapists"],
        ratio="" if figures["ratio"] is None else _plain(figures["ratio"]),
        between=f"{_plain(figures['low'])} to {_plain(figures['high'])}",
        verdict=VERDICTS[verdict],
        picture=_promise(figures, verdict),
    )


def own(figures: Mapping[str, Any]) -> Own | None:
    """None with fewer than fifteen cases: nothing is said then, not even how many."""
    if figures["cases"] is None:
        return None
    labels = domain_labels()
    parts = [_part(labels[code], each) for code, each in figures["domains"].items()]
    rows = [_row(labels[code], each["effect"]) for code, each in figures["domains"].items()]
    return Own(
        cases=_at_least(figures["cases"]),
        severity=severity_words(figures["severity"]),
        lifted=adjustment_words(figures["adjustment"]),
        overall=effect_words(figures["overall"]),
        picture=[("All your cases", [_row("Together", figures["overall"])], "")]
        + ([("By heading", rows, "")] if rows else []),
        parts=parts,
    )


def severity_words(severity: float) -> str:
    if abs(severity) < SLIGHT:
        return "Your clients came about as unwell as others do."
    side = "more" if severity > 0 else "less"
    return f"Your clients came {_how_much(severity)} {side} unwell than others do."


def adjustment_words(adjustment: float) -> str:
    """By how much the comparison with people who began alike moves the figure."""
    if abs(adjustment) < SLIGHT / 2:
        return "Comparing them with people who began alike hardly moves your figures."
    side = "raises" if adjustment > 0 else "lowers"
    return (
        f"Comparing them with people who began alike {side} your figures by "
        f"{_broad(abs(adjustment)):.2f} of the usual spread between people."
    )


def effect_words(interval: Sequence[float]) -> str:
    """Better or worse only where chance is ruled out."""
    _, low, high = interval
    if low > 0:
        return "somewhat better than with others"
    if high < 0:
        return "somewhat less well than with others"
    return "about as with others, as far as can be told"


def _part(heading: str, each: Mapping[str, Any]) -> Part:
    middle, low, high = (_signed(_broad(one)) for one in each["effect"])
    return Part(heading, _at_least(each["cases"]), middle, f"{low} to {high}")


def _row(group: str, interval: Sequence[float]) -> Row:
    middle, low, high = (max(-MOST_SHOWN, min(MOST_SHOWN, _broad(each))) for each in interval)
    return Row(group, _in_a_word(interval), low, middle, high)


def _in_a_word(interval: Sequence[float]) -> str:
    _, low, high = interval
    if low > 0:
        return "somewhat better"
    return "somewhat less well" if high < 0 else "no difference seen"


def _promise(figures: Mapping[str, Any], verdict: Verdict) -> Picture:
    if None in (figures["ratio"], figures["low"], figures["high"]):
        return []
    low, middle, high = (
        max(-FARTHEST, min(FARTHEST, figures[name] - 1)) for name in ("low", "ratio", "high")
    )
    row = Row("Promised against what came", _plain(figures["ratio"]), low, middle, high)
    return [(VERDICTS[verdict].capitalize(), [row], "")]


def _plain(figure: float | None) -> str:
    return "no limit" if figure is None else f"{figure:.2f}"


def _signed(figure: float) -> str:
    shown = f"{abs(figure):.2f}"
    if float(shown) == 0:
        return shown
    return f"+{shown}" if figure > 0 else f"−{shown}"


def _at_least(cases: int) -> int:
    return cases - cases % BY_CASES


def _broad(figure: float) -> float:
    return round(figure / BY_EFFECT) * BY_EFFECT


def _how_much(severity: float) -> str:
    return "somewhat" if abs(severity) < 5 * SLIGHT else "much"
