"""What can be in the way of a step, each with the words of the page."""

from core.errors import Refusal, WrongState


class AlreadyWaiting(Refusal):
    message = "You are on the waiting list already."


class NoConsent(Refusal):
    message = (
        "The waiting list rests on the privacy notice and on the consent to assessment and safety "
        "contact. Please agree to both first."
    )


class DecidedAlready(WrongState):
    message = "This has been decided already, perhaps by somebody else a moment ago."


class RunIsOver(WrongState):
    message = "This proposal no longer stands. Please look at the newest one."


class NotOnTheirList(Refusal):
    message = "This therapist is not on this client’s list, or has no place left."


class NothingChosen(Refusal):
    message = "Please tick at least one placement to confirm."


class OfferIsOver(WrongState):
    message = "The place was kept until its time ran out, and has gone back. You are still waiting."


class CannotConfirm(Refusal):
    """Nothing was confirmed; `problems` say why, one sentence each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("Nothing was confirmed.")
