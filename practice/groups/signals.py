"""What groups tell the rooms on their right, inside the transaction: `send(row, session=, at=)`."""

from blinker import Signal

seat_confirmed = Signal("An Enrolment is seated: it is free, or it was paid.")
seat_given_up = Signal("An Enrolment was left, by its client or because the group was cancelled.")
