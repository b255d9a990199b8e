"""Why somebody is not offered, in words: only where the public profile prints the fact.

Ages seen, scope, who was turned down and by whom are printed nowhere: for them, and for whatever
else there may be, everybody reads ONE_SENTENCE, so that no private matter shows through.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import matching
from core.money import format_money
from practice.intake.in_words import wish_names, wish_options
from practice.matches.nearest import nearest_part
from practice.matches.profiles import Profile
from practice.places import place
from practice.therapists.presenting import in_words
from practice.vocabularies import vocabulary

ONE_SENTENCE = (
    "There can be further reasons that we do not set out for anyone, so that nobody's private "
    "matters show through them."
)
MUST = "must."


@dataclass(frozen=True)
class ReasonWords:
    """Tells why one therapist is not offered to one client."""

    profile: Profile
    client: matching.Client
    currency: str

    def public(self, failures: Iterable[matching.Failure]) -> list[str]:
        """One sentence for each failure that rests on a fact printed on the public profile."""
        told = (self._told(failure) for failure in failures)
        return [words for words in told if words]

    def _told(self, failure: matching.Failure) -> str:
        if failure.rule.startswith(MUST):
            return _must(failure)
        tell = self._tellers.get(failure.rule)
        return tell(failure) if tell else ""

    @property
    def _tellers(self) -> Mapping[str, Callable[[matching.Failure], str]]:
        return {
            "licence": self._licence,
            "capacity": self._capacity,
            "service": self._service,
            "language": self._language,
            "payment": self._payment,
            "format": self._format,
            "hours": self._hours,
        }

    def _licence(self, failure: matching.Failure) -> str:
        here = place(self.client.place).name
        return f"Their profile shows no licence in force for {here}."

    def _capacity(self, failure: matching.Failure) -> str:
        return "Their profile says that they have no room at the moment."

    def _service(self, failure: matching.Failure) -> str:
        wanted = vocabulary("services").term(self.client.service or "").text("offer")
        return f"They do not list what you asked for ({wanted.lower()})."

    def _language(self, failure: matching.Failure) -> str:
        listed = in_words(self.profile.languages) or "none"
        return f"You share no language; their profile lists {listed}."

    def _payment(self, failure: matching.Failure) -> str:
        if failure.why == "above_budget":
            lowest, above = (self._money(failure, name) for name in ("lowest", "above"))
            return f"Their lowest price, {lowest}, is {above} above your limit."
        if failure.why == "fee_not_stated":
            return "Their profile states no price, so it cannot be compared with your limit."
        listed = in_words(self.profile.payments).lower() or "none"
        return f"They do not list your way of paying; they list {listed}."

    def _format(self, failure: matching.Failure) -> str:
        offered = in_words(self.profile.formats).lower() or "none at the moment"
        return f"You share no way of meeting; they offer {offered}."

    def _hours(self, failure: matching.Failure) -> str:
        theirs = "; ".join(f"{part.lower()} {days}" for part, days in self.profile.dayparts)
        lists = f"You share no whole hour of the week; their profile lists {theirs or 'no hours'}."
        nearest = nearest_part(self.profile, self.client)
        return f"{lists} {nearest.words(self.profile.zone)}" if nearest else lists

    def _money(self, failure: matching.Failure, name: str) -> str:
        minor = failure.facts[name]
        assert isinstance(minor, int)
        return format_money(minor, self.currency)


def _must(failure: matching.Failure) -> str:
    """What a client demands is compared with what the profile prints, so it may be told."""
    name = failure.rule.removeprefix(MUST)
    wanted = failure.facts["wanted"]
    assert isinstance(wanted, tuple)
    labels = " or ".join(wish_options(name).labels(str(code) for code in wanted))
    says = "does not say" if failure.why == "not_stated" else "does not list it"
    return f"{wish_names()[name]}: you must have {labels}; their profile {says}."
