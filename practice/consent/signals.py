"""What the rooms on the right may hear of consent."""

from blinker import signal

# consent_revoked(signature=…), in the transaction of the revocation. The sender is its Purpose,
# the instant and the effect stand in `signature.revocation`.
consent_revoked = signal("consent revoked")
