"""A client's scores on one instrument over time, and whether they changed for certain."""

from dataclasses import dataclass
from functools import cached_property

from practice.intake.instruments import INSTRUMENTS, Instrument
from practice.intake.models import Assessment
from practice.when import date_words

SHOWN = ("phq-9", "gad-7")
STEADY, BETTER, WORSE = "no reliable change", "reliably better", "reliably worse"


@dataclass(frozen=True)
class ScoreSeries:
    """`assessments` in the order in which they were taken, incomplete ones among them."""

    instrument: Instrument
    assessments: list[Assessment]

    @property
    def latest(self) -> Assessment:
        return self.assessments[-1]

    @property
    def latest_in_words(self) -> str:
        """ "14, moderate", or that the sheet has no total."""
        if self.latest.total is None:
            return "not complete, so no total"
        return f"{self.latest.total}, {self.band(self.latest)}"

    def band(self, assessment: Assessment) -> str:
        if assessment.total is None:
            return ""
        return self.instrument.band_of(assessment.total).label.lower()

    @cached_property
    def complete(self) -> list[Assessment]:
        return [one for one in self.assessments if one.total is not None]

    def points(self, zone: str) -> list[tuple[str, int]]:
        """(day, total) of the complete ones, for the chart and for the table behind it."""
        return [(date_words(one.taken_at, zone), one.total or 0) for one in self.complete]

    @property
    def change(self) -> str:
        """First to last: more than measurement error or not (Jacobson–Truax); "" for only one.

        A lower total is better on both instruments. It says nothing about why.
        """
        if len(self.complete) < 2:
            return ""
        first, last = (one.total or 0 for one in (self.complete[0], self.complete[-1]))
        if abs(last - first) < self.instrument.reliable_change:
            return STEADY
        return BETTER if last < first else WORSE

    @property
    def title(self) -> str:
        """What the chart shows, in one sentence."""
        totals = [one.total for one in self.complete]
        return f"{self.instrument.short_name}: {totals[0]} at first, {totals[-1]} now"


def series_of(assessments: list[Assessment]) -> dict[str, ScoreSeries]:
    """{instrument code: its series} for each that was answered."""
    found = {
        code: ScoreSeries(INSTRUMENTS[code], [one for one in assessments if one.instrument == code])
        for code in SHOWN
    }
    return {code: series for code, series in found.items() if series.assessments}
