"""What billing tells the rooms above, inside the transaction in which it became true.

Each is sent as `signal.send(row, session=session, at=at)`. A receiver that raises undoes the
whole: the payment company then tells us again.
"""

from blinker import Signal

order_paid = Signal("An Order was paid, early or late.")
order_expired = Signal("An Order can no longer be paid.")
refund_done = Signal("A Refund has left; the money is on its way.")
refund_failed = Signal("The bank returned a Refund; a person must look at it.")
