"""Noise for counts that people read: it hides whether one person is among those counted.

A two-sided geometric number, Laplace's distribution on whole numbers: k with a probability that is
proportional to exp(-|k| / scale). A count that one person changes by one at most, told with it, is
(1 / scale)-differentially private (Ghosh, Roughgarden and Sundararajan 2009, "Universally
utility-maximizing privacy mechanisms"; Dwork and Roth 2014, "The algorithmic foundations of
differential privacy", 3.3). What is then rounded or left out tells no more (the same, 2.1).

It is drawn by HMAC from what is counted, under a key of the installation: the same question has the
same answer for ever, so asking again averages nothing out, and without the key it is as good as
chance. It ends 36 scales out, which chance would pass once in 10^16.
"""

import hmac
from math import floor, log

from core.keys import derived

DRAWN_BITS = 53


def keyed_noise(scale: int, *named: str) -> int:
    """The noise of the figure with these names, none of which holds a NUL."""
    drawn = hmac.digest(derived("noise"), "\0".join(named).encode(), "sha256")
    return _geometric(drawn[:8], scale) - _geometric(drawn[8:16], scale)


def _geometric(drawn: bytes, scale: int) -> int:
    """0, 1, 2, … with exp(-k / scale) for the chance of k and more."""
    kept = int.from_bytes(drawn) >> (64 - DRAWN_BITS)
    return floor(-log((kept + 1) / 2**DRAWN_BITS) * scale)
