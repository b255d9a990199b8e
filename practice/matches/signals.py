"""What matches tell the rooms on their right, inside the transaction: `send(request, at=…)`."""

from blinker import Signal

request_accepted = Signal("A therapist said yes to a MatchRequest.")
request_closed = Signal("A MatchRequest that was accepted ended without a first meeting.")
