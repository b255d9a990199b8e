"""Where a client's asking stands: what the matches page says above the cards."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from practice.matches.deadlines import answer_due_words, time_due_words
from practice.matches.models import MatchRequest, RequestState
from practice.matches.sharing import BY_CODE


class Stage(StrEnum):
    """What the client is told."""

    nothing = "nothing"
    asked = "asked"
    no_answer = "no answer"
    declined = "declined"
    accepted = "accepted"
    no_time_chosen = "no time chosen"
    met = "met"


@dataclass(frozen=True)
class Standing:
    """`request` is the one the stage is about; `due` the words of its deadline."""

    stage: Stage
    request: MatchRequest | None = None
    due: str = ""

    @property
    def is_out(self) -> bool:
        """Whether somebody has been asked, so that nobody else can be."""
        return self.stage in (Stage.asked, Stage.accepted)

    @property
    def offers_the_next(self) -> bool:
        return self.stage in (Stage.no_answer, Stage.declined)

    @property
    def shared_before(self) -> list[str]:
        """What went along last time, so that asking the next one takes one click."""
        return [code for code in self.request.shared if code != "name"] if self.request else []

    @property
    def shared_before_words(self) -> str:
        """The same in words: what somebody agrees to share once more with one press."""
        labels = [BY_CODE[code].label for code in self.shared_before]
        return "; ".join(["What you want to be called", *labels])


def standing_of(history: Sequence[MatchRequest], zone: str, at: datetime) -> Standing:
    """From what a client asked, the newest first; deadlines are told in `zone`."""
    if not history or history[0].state is RequestState.withdrawn:
        return Standing(Stage.nothing)
    return Standing(_stage(history[0], at), history[0], _due(history[0], zone))


def _stage(request: MatchRequest, at: datetime) -> Stage:
    if request.is_overdue(at) or request.lapsed_unanswered:
        return Stage.no_answer
    return STAGES[request.state]


STAGES = {
    RequestState.sent: Stage.asked,
    RequestState.accepted: Stage.accepted,
    RequestState.declined: Stage.declined,
    RequestState.lapsed: Stage.no_time_chosen,
    RequestState.met: Stage.met,
}


def _due(request: MatchRequest, zone: str) -> str:
    if request.state is RequestState.accepted:
        return time_due_words(request, zone)
    return answer_due_words(request, zone)
