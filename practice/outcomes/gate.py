"""Whether a count is good enough to be used: what stands against it, in words with the figures."""

from collections.abc import Iterator
from datetime import datetime

from matching.learning.calibrating import FEWEST_THERAPISTS, HONEST, TELLING, Verdict
from practice.matches.market.track_record import TrackRecordReport, is_damaged, is_too_old

# Halved, each half must still tell therapists apart.
FEWEST_CASES = 300
NONE_YET = "Nothing has been counted yet."


def obstacles(report: TrackRecordReport | None, at: datetime) -> list[str]:
    """Empty where it may be used."""
    return [NONE_YET] if report is None else [*_obstacles(report, at)]


def _obstacles(report: TrackRecordReport, at: datetime) -> Iterator[str]:
    if is_damaged(report):
        yield "The last count cannot be read."
        return
    if is_too_old(report, at):
        yield "The last count is older than three days."
    if report.cases < FEWEST_CASES:
        yield (
            f"There {_cases_counted(report.cases)} whose start and later state are both known; "
            f"at least {FEWEST_CASES} are needed."
        )
        return
    if report.figures["therapists"] < FEWEST_THERAPISTS:
        yield (
            f"They are with {report.figures['therapists']} therapists; at least "
            f"{FEWEST_THERAPISTS} are needed."
        )
        return
    yield from _against_calibration(report)


def _against_calibration(report: TrackRecordReport) -> Iterator[str]:
    figures, (least, most) = report.figures, HONEST
    verdict, ratio = Verdict(figures["verdict"]), figures["ratio"]
    if verdict is Verdict.unclear:
        yield (
            f"What was promised over what came lies between {_figure(figures['low'])} and "
            f"{_figure(figures['high'])}. That is too wide to judge: it must lie within "
            f"{TELLING[0]} and {TELLING[1]}."
        )
    elif verdict is not Verdict.honest:
        more = "more" if verdict is Verdict.boasting else "less"
        yield (
            f"It promised {more} than came: {_figure(ratio)} times as much. It must lie between "
            f"{least} and {most}."
        )


def _cases_counted(cases: int) -> str:
    return "is one case" if cases == 1 else f"are {cases:,} cases"


def _figure(value: float | None) -> str:
    """What is not finite came to nothing on the other side."""
    return "no limit" if value is None else f"{value:.2f}"
