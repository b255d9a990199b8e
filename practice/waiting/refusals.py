"""What can be in the way of a step, each with the words of the page."""

import uuid
from collections.abc import Iterable, Sequence

from core.errors import Refusal, WrongState
from practice.waiting.since import Since


class AlreadyWaiting(Refusal):
    message = "You are on the waiting list already."


class NoConsent(Refusal):
    message = (
        "The waiting list rests on the privacy notice and on the consent to assessment and safety "
        "contact. Please agree to both first."
    )


class DecidedAlready(WrongState):
    message = "This has been decided already, perhaps by somebody else a moment ago."


class ChangedMeanwhile(WrongState):
    message = "This has changed since you opened it. Nothing was done, and what you wrote is here."


class CostsChanged(ChangedMeanwhile):
    message = (
        "This proposal has changed since you opened the page, so somebody else may have to give "
        "way. Nothing was done; please look again at what it costs."
    )


class NoLongerThere(WrongState):
    message = (
        "Somebody no longer waits, or a newer proposal has come. Nothing was done; please look at "
        "the list again."
    )


class RunIsOver(WrongState):
    message = "This proposal no longer stands. Please look at the newest one."


class NotOnTheirList(Refusal):
    message = "This therapist is not on this client’s list, or has no place left."


class NothingChosen(Refusal):
    message = "Please tick at least one placement to confirm."


class OfferIsOver(WrongState):
    message = "This place has been answered already, or its time has run out."


class CannotConfirm(Refusal):
    """Nothing was confirmed.

    `problems` say what is in the way, one sentence for each of `placements`; `changed` is what
    somebody has changed or decided since it was looked at.
    """

    def __init__(
        self, found: Iterable[tuple[uuid.UUID, str]], changed: Sequence[Since] = ()
    ) -> None:
        found = list(found)
        self.placements = [public_id for public_id, _ in found]
        self.problems = [words for _, words in found]
        self.changed = changed
        super().__init__("Nothing was confirmed.")
