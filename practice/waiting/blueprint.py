"""The blueprint that the client's and the lead's pages of the waiting list register on."""

from flask import Blueprint

from practice.accounts.policy import the_client
from practice.waiting.queries import open_entry, places_kept

bp = Blueprint("waiting", __name__)


@bp.app_context_processor
def _for_rooms_on_the_left() -> dict[str, object]:
    """For pages that do not know this room; asked only where one of these is called."""
    return {
        "is_on_waiting_list": lambda: open_entry(the_client()) is not None,
        "places_kept": places_kept,
    }
