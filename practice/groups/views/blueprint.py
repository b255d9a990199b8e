"""The blueprint, and the words that every page of groups has at hand."""

from typing import Any

from flask import Blueprint

from practice.groups import presenting

bp = Blueprint("groups", __name__)


@bp.context_processor
def _words() -> dict[str, Any]:
    return {"told": presenting}
