"""How somebody who waits is looked for: as on their own matches, without whom was not wanted."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from core.logs import log
from matching.errors import BadValue
from practice.matches.market.index import NoPlace
from practice.matches.obstacles import Obstacle, obstacles
from practice.matches.search import Search, search_for
from practice.waiting.models import WaitingEntry
from practice.waiting.queries import refused_of


@dataclass(frozen=True)
class InTheWay:
    """What keeps somebody from everybody, now.

    `could_look`: whether there was anything to look for. `somebody_came` who fits by now;
    otherwise it `is_beyond_scope`, how unwell they are, or it is what `obstacles` say.
    """

    could_look: bool
    somebody_came: bool = False
    is_beyond_scope: bool = False
    obstacles: tuple[Obstacle, ...] = ()


def in_the_way(entry: WaitingEntry, answers: Mapping[str, Any], at: datetime) -> InTheWay:
    search = search_of(entry, answers, at)
    if search is None:
        return InTheWay(could_look=False)
    if search.finds_somebody():
        return InTheWay(could_look=True, somebody_came=True)
    beyond = search.is_beyond_every_scope()
    return InTheWay(True, is_beyond_scope=beyond, obstacles=tuple(obstacles(search)))


def search_of(entry: WaitingEntry, answers: Mapping[str, Any], at: datetime) -> Search | None:
    """None for a client without a place, or with answers that cannot be right."""
    try:
        search = search_for(entry.client, answers, at)
    except NoPlace:
        return None
    except BadValue as bad:
        # What is wrong with one must not keep everybody else from being placed.
        log("waiting.bad_answers", column=bad.field.split(".")[0])
        return None
    exclude = search.values.exclude | refused_of(entry)
    return replace(search, values=replace(search.values, exclude=exclude))
