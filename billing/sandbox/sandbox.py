"""The sandbox as one object: the API, the card page, the courier and the means to disturb them."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from billing.sandbox import cards, checkout, faults, payments, refunds, webhooks
from billing.sandbox.answering import Answer, Request, answer
from billing.sandbox.desk import Clock, Desk
from billing.sandbox.errors import ApiError, Json
from billing.sandbox.store import Store, visible
from billing.sandbox.webhooks import Attempt, Courier, Post
from core.config import SANDBOX_API_KEY, SANDBOX_WEBHOOK_SECRET

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def system_clock() -> datetime:
    return datetime.now(UTC)


class Sandbox:
    """A small Stripe. Itself a WSGI application; `start_courier` delivers webhooks by thread.

    `state_path` is a SQLite file of its own, or ":memory:". Without a `webhook_url` the caller
    fetches webhooks with `deliver(to=…)`.
    """

    def __init__(
        self,
        state_path: Path | str,
        webhook_url: str = "",
        webhook_secret: str = SANDBOX_WEBHOOK_SECRET,
        *,
        api_key: str = SANDBOX_API_KEY,
        now: Clock = system_clock,
        public_url: str = "",
    ) -> None:
        from billing.sandbox.app import create_app

        self.api_key = api_key
        self.public_url = public_url.rstrip("/")
        self.desk = Desk(Store(state_path), now, endpoints=1)
        self.courier = Courier(self.desk, webhook_url, webhook_secret)
        self.desk.after_each = self.courier.call
        self.app: WSGIApplication = create_app(self)

    def __call__(self, environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        return self.app(environ, start)

    def start_courier(self) -> None:
        """Deliver from a thread; after any fork, never before."""
        self.courier.start()

    def close(self) -> None:
        self.courier.stop()
        self.desk.store.close()

    def answer(self, request: Request) -> Answer:
        return answer(self.desk, self.api_key, request)

    def deliver(self, to: Post | None = None) -> list[Attempt]:
        """One round of what is due now: `to(body, headers) -> status`, or over HTTP."""
        return self.courier.deliver(to)

    def pay(self, session_id: str, card: str = cards.PAYS.number) -> Json:
        """What pressing "Pay" on the card page does. Raises CardDeclined, ApiError."""
        refused: ApiError | None = None
        with self.desk.call() as call:
            session = call.books.get("checkout.session", session_id)
            try:
                session = checkout.pay_session(
                    call, session, payments.method_for(call, cards.CARDS[card])
                )
            except ApiError as error:
                # Leaving the call normally keeps the declined attempt.
                refused = error
        if refused is not None:
            raise refused
        return session

    def expire(self, session_id: str) -> Json:
        with self.desk.call() as call:
            return checkout.expire_session(call, session_id)

    def fail_refund(self, refund_id: str) -> Json:
        """The bank returns a refund: `refund.failed`, and the amount can be refunded again."""
        with self.desk.call() as call:
            return refunds.fail_refund(call, refund_id)

    def fail_next(
        self,
        kind: str,
        *,
        applied: bool = False,
        path: str = "/v1/",
        times: int = 1,
        seconds: float = 0.0,
    ) -> None:
        """The next requests under `path` fail: 409, 429, 500, 503 or `timeout`.

        `applied` (500 and timeout only): the request takes effect and its answer is spoilt.
        """
        fault = faults.Fault(kind, applied, path, seconds)
        fault.refuse_nonsense()
        with self.desk.call() as call:
            faults.plan(call, fault, times)

    def advance(self, by: timedelta) -> None:
        self.desk.advance(by)

    def hold(self) -> None:
        """Keep every webhook back until `release`."""
        self._set("held", "yes")

    def release(self) -> None:
        self._set("held", "no")

    def order(self, how: str, seed: int = 0) -> None:
        """`created`, `reverse` or `shuffle` (repeatable by its seed), from the next round on."""
        if how not in webhooks.ORDERS:
            raise ValueError(f"an order is one of {', '.join(webhooks.ORDERS)}")
        self._set("order", f"{how} {seed}")

    def delay(self, seconds: int) -> None:
        """Webhooks of what happens from now on fall due that much later."""
        self._set("delay", str(seconds))

    def repeat(self, type_: str | None = None) -> int:
        return self._count(lambda call: webhooks.repeat(call, type_))

    def drop(self, type_: str | None = None) -> int:
        return self._count(lambda call: webhooks.drop(call, type_))

    def events(self) -> list[Json]:
        """Everything that happened, oldest first."""
        with self.desk.call() as call:
            return [_shown(event) for event in call.books.all("event")]

    def deliveries(self) -> list[Json]:
        with self.desk.call() as call:
            return webhooks.deliveries(call)

    def session(self, session_id: str) -> Json:
        with self.desk.call() as call:
            return _shown(call.books.get("checkout.session", session_id))

    def _set(self, name: str, value: str) -> None:
        with self.desk.call() as call:
            call.books.set(name, value)

    def _count(self, act: Callable[..., int]) -> int:
        with self.desk.call() as call:
            return act(call)


def _shown(body: Json) -> Json:
    shown = visible(body)
    assert isinstance(shown, dict)
    return shown
