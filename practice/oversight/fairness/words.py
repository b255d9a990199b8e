"""The audit of fairness in words and pictures: comparisons → what its page shows."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from matching.auditing import EXCLUDED, PLACED, SCORE, WAIT, Comparison, Verdict
from practice.vocabularies import vocabulary

VERDICTS = {
    Verdict.differs: "differs",
    Verdict.slight: "differs slightly",
    Verdict.alike: "no difference seen",
    Verdict.alone: "nobody to compare with",
    Verdict.few_therapists: "too few therapists to judge",
    Verdict.few_people: "too few people to show",
}
ATTRIBUTES = {
    "age": "Age",
    "language": "Language for the meetings",
    "payment": "Way of paying",
    "state": "State",
    **{term.code: f"{term.label()}, as stated" for term in vocabulary("about_you").terms},
}
RULES = {
    "licence": "No licence in the person's state",
    "capacity": "No open place",
    "age": "Does not see people of that age",
    "service": "Does not offer what was asked for",
    "scope": "Somebody with more training is needed",
    "language": "No language in common",
    "payment": "Another way of paying, or too dear",
    "format": "Another way of meeting",
    "hours": "No hour in common",
}
POINTS_SHOWN = 1000
NO_BREAK = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class Kind:
    """How a measure is told: its heading, what it counts, the two sides, and its figures.

    `more_is_worse` for whoever it is counted of.
    """

    heading: str
    counts: str
    less: str
    more: str
    value: Callable[[float], str]
    apart: Callable[[float], str]
    more_is_worse: bool


@dataclass(frozen=True)
class Row:
    """A group: its place in the chart and its line of the table, or only that it is kept back."""

    attribute: str
    group: str
    verdict: Verdict
    people: str = ""
    value: str = ""
    between: str = ""
    difference: str = ""
    difference_between: str = ""
    least: float | None = None
    middle: float | None = None
    most: float | None = None

    @property
    def verdict_words(self) -> str:
        return VERDICTS[self.verdict]

    @property
    def is_judged(self) -> bool:
        return self.middle is not None

    @property
    def is_kept_back(self) -> bool:
        return self.verdict is Verdict.few_people


@dataclass(frozen=True)
class Measure:
    """One measure of the page: a chart and a table, with the same figures."""

    kind: Kind
    rows: tuple[Row, ...]

    @cached_property
    def by_attribute(self) -> list[tuple[str, list[Row]]]:
        return [(ATTRIBUTES[name], list(rows)) for name, rows in groupby(self.rows, _by_attribute)]

    @property
    def charted(self) -> list[tuple[str, list[Row], str]]:
        """Heading, the rows that can be drawn, and how many more there are."""
        drawn = []
        for heading, rows in self.by_attribute:
            shown = [row for row in rows if not row.is_kept_back]
            drawn.append((heading, shown, _left_out(len(rows) - len(shown))))
        return drawn

    @property
    def reach(self) -> float:
        """How far the chart must go to each side."""
        ends = [abs(end) for row in self.rows for end in (row.least, row.most) if end is not None]
        return max(ends, default=0.0) or 1.0

    @property
    def differing(self) -> list[Row]:
        return [row for row in self.rows if row.verdict is Verdict.differs]

    @property
    def worse_off(self) -> list[Row]:
        """Of those who differ: with two groups the better off are only the others' mirror."""
        worse = [row for row in self.differing if self._is_worse(row)]
        return worse or self.differing

    def _is_worse(self, row: Row) -> bool:
        return ((row.middle or 0) > 0) is self.kind.more_is_worse

    @property
    def in_a_word(self) -> str:
        if self.differing:
            return ", ".join(row.group for row in self.worse_off)
        return "no difference seen" if any(row.is_judged for row in self.rows) else "not judged"


@dataclass(frozen=True)
class Told:
    """The whole page: the three measures, the rules that take somebody away, and what differs."""

    measures: list[Measure]
    rules: list[Measure]
    sentences: list[str]

    @property
    def not_compared(self) -> list[str]:
        """Headings of the measures in which no group is large enough to be judged."""
        silent = (each for each in self.measures if not any(row.is_judged for row in each.rows))
        return [each.kind.heading for each in silent]


def told(comparisons: Iterable[Comparison]) -> Told:
    """See `Told`; a rule that takes nobody away is left out."""
    comparisons = list(comparisons)
    by_measure = [
        (name, list(found)) for name, found in groupby(comparisons, lambda each: each.measure)
    ]
    measures = [_measure(MEASURES[name], found) for name, found in by_measure if name in MEASURES]
    rules = [
        _measure(_rule(name.removeprefix(EXCLUDED)), found)
        for name, found in by_measure
        if name not in MEASURES and any(each.value for each in found)
    ]
    every = [*measures, *rules]
    return Told(measures, rules, [words for each in every for words in _sentences(each)])


def _measure(kind: Kind, found: Iterable[Comparison]) -> Measure:
    return Measure(kind, tuple(_row(kind, each) for each in found))


def _row(kind: Kind, one: Comparison) -> Row:
    if one.people is None or one.value is None or one.low is None or one.high is None:
        return Row(one.attribute, one.group, one.verdict)
    shown = {
        # Rounded: two counts with one person between them would tell of that person.
        "people": f"{round(one.people, -1):,}",
        "value": kind.value(one.value),
        "between": f"{kind.value(one.low)} to {kind.value(one.high)}",
    }
    if one.difference is None or one.least is None or one.most is None:
        return Row(one.attribute, one.group, one.verdict, **shown)
    return Row(
        one.attribute,
        one.group,
        one.verdict,
        **shown,
        difference=_signed(kind, one.difference),
        difference_between=f"{_signed(kind, one.least)} to {_signed(kind, one.most)}",
        least=one.least,
        middle=one.difference,
        most=one.most,
    )


def _sentences(measure: Measure) -> Iterator[str]:
    kind = measure.kind
    for row in measure.worse_off:
        side = kind.more if (row.middle or 0) > 0 else kind.less
        near, far = sorted(abs(end or 0) for end in (row.least, row.most))
        yield (
            f"{row.group} ({ATTRIBUTES[row.attribute].lower()}), {_uncapitalised(kind.heading)}: "
            f"{row.value}, which is {kind.apart(abs(row.middle or 0))} {side} than everybody else; "
            f"allowing for chance, between {kind.apart(near)} and {kind.apart(far)}."
        )


def _uncapitalised(words: str) -> str:
    return words[:1].lower() + words[1:]


def _left_out(groups: int) -> str:
    if not groups:
        return ""
    return f"{groups} {'group has' if groups == 1 else 'groups have'} too few people to show"


def _signed(kind: Kind, apart: float) -> str:
    """With a sign; nothing is neither more nor less."""
    words = kind.apart(abs(apart))
    if words == kind.apart(0):
        return words
    return f"+{words}" if apart > 0 else f"−{words}"


def _by_attribute(row: Row) -> str:
    return row.attribute


def _percent(share: float) -> str:
    return f"{100 * share:.0f}{NO_BREAK}%"


def _in_a_hundred(share: float) -> str:
    return f"{100 * share:.0f} in{NO_BREAK}100"


def _points(points: float) -> str:
    return f"{points / POINTS_SHOWN:.0f}"


def _days(days: float) -> str:
    return f"{days:.1f} days"


def _rule(name: str) -> Kind:
    counts = "Of all therapists who can be found today, how many this rule takes away."
    return Kind(RULES[name], counts, "fewer", "more", _percent, _in_a_hundred, True)


MEASURES = {
    PLACED: Kind(
        "Placed within four weeks",
        "How many had a yes from a therapist within four weeks of sending their answers.",
        "less often",
        "more often",
        _percent,
        _in_a_hundred,
        more_is_worse=False,
    ),
    SCORE: Kind(
        "How closely the therapist fits",
        "The points, of 1,000, that stood beside the therapist who said yes.",
        "lower",
        "higher",
        _points,
        _points,
        more_is_worse=False,
    ),
    WAIT: Kind(
        "Days until a yes",
        "For those who were placed, from sending their answers to the first yes.",
        "shorter",
        "longer",
        _days,
        _days,
        more_is_worse=True,
    ),
}
