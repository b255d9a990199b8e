"""What groups say no to, in words that can be shown as they stand."""

from core.errors import Refusal


class GroupFull(Refusal):
    message = "The last seat has just been taken. Nothing was charged and nothing was signed."


class GroupClosed(Refusal):
    message = "This group takes no more people: it has begun, or it was called off."


class NoLeadHere(Refusal):
    message = (
        "Nobody who leads this group is licensed where you are, so we may not offer you a seat. "
        "Peer groups are open everywhere."
    )


class HandleTaken(Refusal):
    message = "Somebody in this group has that name already. Please choose another."


class ScreeningFirst(Refusal):
    message = "The leader talks with each person before they join. Please ask to join first."


class RefundChanged(Refusal):
    message = "What you would get back has changed since you opened the page. Please look again."


class TermsAreFixed(Refusal):
    message = (
        "People have joined on these terms: dates, price, seats and refunds stay as they are. "
        "The words can still change."
    )


class NobodyMayLead(Refusal):
    message = (
        "A therapy group or a course needs a leader whose licence is verified and in force. "
        "You can keep it as a draft meanwhile."
    )


class NotYours(NobodyMayLead):
    message = (
        "Groups are opened and changed by a therapist whose own licence is verified and in force. "
        "You can keep it as a draft meanwhile."
    )


class NotForYouToScreen(Refusal):
    message = (
        "Who asks is answered by a leader of this group whose licence is verified and in force."
    )


class GroupOver(Refusal):
    message = "The last session is over, so there is nothing left to call off."


class InThePast(Refusal):
    message = "The first session lies in the past. Please choose a later date."
