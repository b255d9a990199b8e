"""The blueprint that both kinds of pages about matches register on."""

from flask import Blueprint

from core.clock import now
from practice.matches.endings import template_words
from practice.matches.reviews.cases import how_many_are_late

bp = Blueprint("matches", __name__)
bp.context_processor(template_words)


@bp.app_context_processor
def _for_other_rooms() -> dict[str, object]:
    """Asked only where it is called."""
    return {"answers_late": lambda: how_many_are_late(now())}
