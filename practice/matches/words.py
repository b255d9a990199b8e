"""A match in the words of a page: wishes met or not, prices, and how closely somebody fits.

A wish is told from what a therapist says about themselves; nothing here promises an outcome.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import matching
from core.money import format_money
from matching import Finding, Line, Standing
from practice.hours import DAYPARTS
from practice.intake.in_words import insurers, wish_names, wish_options
from practice.matches.profiles import Profile
from practice.therapists.presenting import days_in_words, in_words
from practice.vocabularies import vocabulary

FACTOR_LABELS: Mapping[str, str] = {
    "concerns": "What you would like help with",
    "hours": "Hours",
    "approach": "Approach",
    "price": "Price",
    "style": "Way of working",
    "language": "Language",
    "identity": "About the person",
    "format": "Way of meeting",
    "record": "Track record",
}
# By what a line of the arithmetic is called: the factors, and what a place is worth to others.
LINE_LABELS: Mapping[str, str] = {
    **FACTOR_LABELS,
    matching.LITTLE_KNOWN: "Not much known yet",
    matching.NEEDED_ELSEWHERE: "Needed elsewhere more",
}
STANDING_LABELS: Mapping[Standing, str] = {
    Standing.met: "met",
    Standing.partly: "partly",
    Standing.not_met: "not met",
    Standing.not_stated: "not said",
}
NUMBERS = "no one two three four five six seven eight nine".split()

SKILL_WORDS = {3: "Knows best", 2: "Works with often", 1: "Also works with", 0: "Does not list"}
STYLE_WORDS = {
    Standing.met: "Close to you",
    Standing.partly: "Not far from you",
    Standing.not_met: "Different from you",
    Standing.not_stated: "Has not said",
}


@dataclass(frozen=True)
class WishWords:
    """Tells one client's wishes; `currency` is this installation's."""

    client: matching.Client
    currency: str

    def all(self, lines: Iterable[Line]) -> list[tuple[str, str, str]]:
        """(state, name, sentence) for each thing the client asked for, in the order given."""
        return [
            (STANDING_LABELS[line.standing], FACTOR_LABELS[line.factor], self.sentence(line))
            for line in lines
            if line.standing is not Standing.not_asked
        ]

    def sentence(self, line: Line) -> str:
        return self._tellers[line.factor](line.findings)

    @property
    def _tellers(self) -> Mapping[str, Callable[[Sequence[Finding]], str]]:
        return {
            "concerns": _concerns,
            "hours": self._hours,
            "approach": _approach,
            "price": self._price,
            "style": _style,
            "language": _language,
            "identity": _identity,
            "format": _format,
            "record": lambda _findings: "",
        }

    def _hours(self, findings: Sequence[Finding]) -> str:
        [finding] = findings
        common = _wholes(finding, "common")
        if not common:
            return "No whole hour of the week suits you both."
        hours = "hour" if len(common) == 1 else "hours"
        return f"You share {number(len(common))} {hours} a week: {self._when(common)}."

    def _when(self, hours: Iterable[int]) -> str:
        """Hours of the UTC week on the client's own clock: "Tuesday, Thursday in the evening"."""
        zone = ZoneInfo(self.client.zone or "UTC")
        local = [matching.starts_at(hour, self.client.on).astimezone(zone) for hour in hours]
        found = []
        for part in DAYPARTS:
            days = {at.weekday() for at in local if part.starts <= at.time() < part.ends}
            if days:
                found.append(f"{days_in_words(days)} in the {part.label.lower()}")
        return "; ".join(found) or "early or late in the day"

    def _price(self, findings: Sequence[Finding]) -> str:
        [finding] = findings
        if finding.code != "fee":
            return _cover(finding)
        if finding.facts["fee"] is None:
            return "No price is stated."
        fee, lowest, budget = (_whole(finding, name) for name in ("fee", "lowest", "budget"))
        if fee <= budget:
            return f"{self._money(fee).capitalize()}, within your {self._money(budget)}."
        if lowest <= budget:
            slides = f"{self._money(fee)}, sliding from {self._money(lowest)}"
            return f"{slides}; your limit is {self._money(budget)}."
        return f"From {self._money(lowest)}, above your {self._money(budget)}."

    def _money(self, minor: int) -> str:
        return format_money(minor, self.currency)


def tally(lines: Iterable[Line]) -> str:
    """ "Fits four of your five wishes, one partly"."""
    standings = [line.standing for line in lines if line.standing is not Standing.not_asked]
    if not standings:
        return "You left everything open, so nothing sets anyone apart"
    met, partly = standings.count(Standing.met), standings.count(Standing.partly)
    wishes = "wish" if len(standings) == 1 else "wishes"
    words = f"Fits {number(met)} of your {number(len(standings))} {wishes}"
    return f"{words}, {number(partly)} partly" if partly else words


def number(count: int) -> str:
    return NUMBERS[count] if count < len(NUMBERS) else str(count)


def price_words(profile: Profile, currency: str) -> str:
    """ "$90 a session, sliding from $60"."""
    if profile.fee is None:
        return "Price on request"
    if profile.fee == 0:
        return "Free of charge"
    words = f"{format_money(profile.fee, currency)} a session"
    if profile.sliding_from is None:
        return words
    return f"{words}, sliding from {format_money(profile.sliding_from, currency)}"


def _concerns(findings: Sequence[Finding]) -> str:
    labels = vocabulary("concerns")
    return _sentences(
        (words, [labels.label(each.code) for each in findings if each.facts["skill"] == skill])
        for skill, words in SKILL_WORDS.items()
    )


def _style(findings: Sequence[Finding]) -> str:
    axes = vocabulary("style")
    return _sentences(
        (words, [axes.label(each.code).lower() for each in findings if each.standing is standing])
        for standing, words in STYLE_WORDS.items()
    )


def _approach(findings: Sequence[Finding]) -> str:
    return _has_or_not(findings, "Works with", vocabulary("approaches").label)


def _language(findings: Sequence[Finding]) -> str:
    return _has_or_not(findings, "Speaks", vocabulary("languages").label)


def _format(findings: Sequence[Finding]) -> str:
    formats = vocabulary("formats")
    return _has_or_not(findings, "Offers", lambda code: formats.term(code).text("short").lower())


def _identity(findings: Sequence[Finding]) -> str:
    return " ".join(_attribute(finding) for finding in findings)


def _attribute(finding: Finding) -> str:
    name = wish_names()[finding.code]
    found = finding.facts["found"]
    if isinstance(found, tuple) and found:
        labels = wish_options(finding.code).labels(str(code) for code in found)
        return f"{name}: {in_words(labels).lower()}."
    return f"{name}: {'not said' if finding.standing is Standing.not_stated else 'not this'}."


def _cover(finding: Finding) -> str:
    kinds = vocabulary("payments")
    if finding.code in kinds:
        label = kinds.term(finding.code).text("offer")
    else:
        label = insurers().label(finding.code)
    return f"{'Lists' if finding.standing is Standing.met else 'Does not list'}: {label}."


def _has_or_not(findings: Sequence[Finding], has: str, label: Callable[[str], str]) -> str:
    having = [label(each.code) for each in findings if each.standing is Standing.met]
    lacking = [label(each.code) for each in findings if each.standing is not Standing.met]
    parts = ((has, having), ("Does not list", lacking))
    return " ".join(f"{words} {in_words(labels)}." for words, labels in parts if labels)


def _sentences(groups: Iterable[tuple[str, list[str]]]) -> str:
    return " ".join(f"{words}: {'; '.join(labels)}." for words, labels in groups if labels)


def _whole(finding: Finding, name: str) -> int:
    value = finding.facts[name]
    assert isinstance(value, int)
    return value


def _wholes(finding: Finding, name: str) -> list[int]:
    value = finding.facts[name]
    assert isinstance(value, tuple)
    return [int(each) for each in value]
