"""The desk at which every act begins: one transaction, one instant, nothing overdue."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from billing.sandbox.call import Call
from billing.sandbox.checkout import expire_due
from billing.sandbox.parameters import Params, Tree
from billing.sandbox.store import Books, Store

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Asked:
    """What a request brings to its call; nothing for acts of the payer and of the clock."""

    tree: Tree = field(default_factory=dict)
    public_url: str = ""
    request_id: str | None = None
    idempotency_key: str | None = None


NOTHING_ASKED = Asked()


class Desk:
    """Opens calls on the store. `endpoints` is the number of webhook addresses that listen."""

    def __init__(self, store: Store, clock: Clock, endpoints: int) -> None:
        self.store = store
        self.clock = clock
        self.endpoints = endpoints
        self.after_each: Callable[[], None] = lambda: None

    @contextmanager
    def call(self, asked: Asked = NOTHING_ASKED) -> Iterator[Call]:
        """What happens inside is committed together on leaving, or not at all."""
        with self.quiet_call(asked) as call:
            yield call
        self.after_each()

    @contextmanager
    def quiet_call(self, asked: Asked = NOTHING_ASKED) -> Iterator[Call]:
        """A call that wakes nobody; for the courier itself."""
        with self.store.transaction() as books:
            call = Call(
                books=books,
                now=self._now(books),
                endpoints=self.endpoints,
                public_url=asked.public_url,
                params=Params(asked.tree),
                request_id=asked.request_id,
                idempotency_key=asked.idempotency_key,
            )
            expire_due(call)
            yield call

    def advance(self, by: timedelta) -> None:
        """Move the sandbox's clock; what falls due meanwhile happens at once."""
        with self.store.transaction() as books:
            books.set("ahead", str(_ahead(books) + int(by.total_seconds())))
        with self.call():
            pass

    def _now(self, books: Books) -> int:
        return int(self.clock().timestamp()) + _ahead(books)


def _ahead(books: Books) -> int:
    return int(books.setting("ahead", "0"))
