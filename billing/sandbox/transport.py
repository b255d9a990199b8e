"""The real `stripe` client without sockets: the same requests, handed straight to a sandbox."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import stripe

from billing.sandbox.answering import Request

if TYPE_CHECKING:
    from billing.sandbox.sandbox import Sandbox


class InProcess(stripe.HTTPClient):
    """`stripe.StripeClient(sandbox.api_key, http_client=InProcess(sandbox))`.

    A lost answer is an APIConnectionError, as it is over a network.
    """

    name = "in-process"

    def __init__(self, sandbox: "Sandbox") -> None:
        super().__init__()
        self._sandbox = sandbox

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        answer = self._sandbox.answer(self._request(method, url, headers or {}, post_data))
        if answer.lost:
            raise stripe.APIConnectionError("the answer was lost", should_retry=True)  # type: ignore[no-untyped-call]
        return answer.body, answer.status, answer.headers()

    def close(self) -> None:
        """There is nothing to close."""

    def _request(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any
    ) -> Request:
        parts = urlsplit(url)
        encoded = post_data if method.upper() == "POST" else parts.query
        return Request(
            method=method.upper(),
            path=parts.path,
            pairs=parse_qsl(encoded or "", keep_blank_values=True),
            authorization=headers.get("Authorization"),
            idempotency_key=headers.get("Idempotency-Key"),
            public_url=self._sandbox.public_url or "http://sandbox.localhost",
        )
