"""Who comes first: how severe it is, times how long they have waited. The one place for it.

Severity is acuity (`practice/matches/market/acuity.py`), at least 1: what is mild, moderate or not
known counts 1, what is severe 2, what is most acute 3. It is multiplied by the days waited and
thirty more (`matching.allocation.allocating.priority_of`), so that nobody waits for ever: somebody
of severity 1 who has waited sixty days comes before somebody of severity 3 who has come today.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from matching.allocation.allocating import priority_of
from matching.allocation.candidates import Whole
from practice.matches.market.acuity import acuity

SEVERE = 2
WORDS = {1: "not severe", 2: "severe", 3: "most severe"}


def severity(answers: Mapping[str, Any]) -> int:
    """1 to 3, from the answers of an intake."""
    return max(1, acuity(answers) or 0)


def priorities(severities: Sequence[int], days: Sequence[int]) -> Whole:
    """Shapes (clients,)."""
    return priority_of(np.array(severities, dtype=np.int64), np.array(days, dtype=np.int64))


def priority(severity: int, days: int) -> int:
    return int(priorities([severity], [days])[0])
