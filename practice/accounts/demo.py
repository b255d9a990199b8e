"""The invented people of the demo share one second factor, whose codes a page shows.

Real accounts never have this secret: only the seed of an invented world hands it out.
"""

import base64
from datetime import datetime
from typing import Any

from core.config import current_settings
from practice.accounts import authenticator

SECRET = base64.b32encode(b"attune: demo clinic!").decode()


def shown(at: datetime) -> dict[str, Any] | None:
    """What the demo's pages say about codes; None outside the demo."""
    if not current_settings().demo:
        return None
    left = authenticator.STEP_SECONDS - int(at.timestamp()) % authenticator.STEP_SECONDS
    return {"codes": codes(at), "seconds": left}


def codes(at: datetime) -> tuple[str, str]:
    """The code of this half minute, and the next one, which is taken already."""
    step = authenticator.step_of(at)
    return authenticator.code_at(SECRET, step), authenticator.code_at(SECRET, step + 1)
