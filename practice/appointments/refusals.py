"""What can stand in the way of a meeting, each said as it is."""

from core.errors import Refusal, WrongState


class SlotTaken(Refusal):
    message = "Somebody has just taken that time. Here are those that are free now."


class NotOpenForTimes(WrongState):
    message = "No time can be chosen for this request any more. Your matches say what is next."


class HoldRanOut(WrongState):
    message = "The time was kept for half an hour and is free again. Please choose once more."


class NotLicensedThere(Refusal):
    message = (
        "They may not meet people where you are at that time: their licence does not cover it. "
        "Nothing was booked."
    )


class CannotMeetThatWay(Refusal):
    message = "Please choose a way of meeting that they offer."
