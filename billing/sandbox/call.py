"""What an endpoint is handed: the books of one transaction, its parameters and the clock."""

from dataclasses import dataclass, field, replace

from billing.sandbox.errors import Json
from billing.sandbox.parameters import Params
from billing.sandbox.store import Books, Page

CREATED_SIGNS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
LIST_LIMIT = 100


@dataclass(frozen=True)
class Call:
    """`now` is in whole seconds since the epoch; `request_id` is None for acts of the payer."""

    books: Books
    now: int
    public_url: str = ""
    endpoints: int = 0
    params: Params = field(default_factory=Params)
    request_id: str | None = None
    idempotency_key: str | None = None

    def reading(self, params: Params) -> "Call":
        return replace(self, params=params)


def listing(call: Call, kind: str, url: str, *, by: tuple[str, ...] = ()) -> Json:
    """A page of objects, filtered by the fields named in `by` and by `created`."""
    return as_list(url, *call.books.page(kind, _page(call.params, by)))


def as_list(url: str, found: list[Json], has_more: bool) -> Json:
    return {"object": "list", "url": url, "has_more": has_more, "data": found}


def page_from(params: Params, where: dict[str, str], created: dict[str, int]) -> Page:
    limit = params.whole("limit") or 10
    return Page(
        where=where,
        created=created,
        limit=max(1, min(limit, LIST_LIMIT)),
        starting_after=params.text("starting_after"),
        ending_before=params.text("ending_before"),
    )


def _page(params: Params, by: tuple[str, ...]) -> Page:
    asked = {name: params.text(name) for name in by}
    where = {name: value for name, value in asked.items() if value is not None}
    return page_from(params, where, _created(params))


def _created(params: Params) -> dict[str, int]:
    group = params.group("created")
    if group is None:
        return {}
    asked = {sign: group.whole(name) for name, sign in CREATED_SIGNS.items()}
    return {sign: at for sign, at in asked.items() if at is not None}
