"""Refusals in the shape that Stripe's clients understand.

Types, codes and statuses: Stripe API reference, "Errors" and "Error codes". The sentences are ours.
"""

from typing import Any

Json = dict[str, Any]


class ApiError(Exception):
    """A request that is answered with an error object.

    `kept` says whether the answer is replayed for the same idempotency key: a request refused
    before its endpoint ran leaves nothing to replay. `keeps_effects` says whether what the
    endpoint wrote stands in spite of the error.
    """

    status = 400
    type = "invalid_request_error"
    kept = True
    keeps_effects = False

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code

    def body(self) -> Json:
        said = {"type": self.type, "message": self.message, "code": self.code, "param": self.param}
        return {"error": {name: value for name, value in said.items() if value is not None}}


class BadParameter(ApiError):
    """The parameters cannot be read; the endpoint has not run."""

    kept = False


class ParameterMissing(BadParameter):
    def __init__(self, param: str) -> None:
        super().__init__(f"{param} is required here.", param=param, code="parameter_missing")


class ResourceMissing(ApiError):
    status = 404

    def __init__(self, kind: str, id_: str, *, param: str = "id") -> None:
        super().__init__(f"There is no {kind} {id_!r}.", param=param, code="resource_missing")


class UnknownAddress(ApiError):
    status = 404
    kept = False


class WrongKey(ApiError):
    status = 401
    kept = False


class IdempotencyMismatch(ApiError):
    type = "idempotency_error"
    kept = False


class KeyInUse(ApiError):
    status = 409
    type = "idempotency_error"
    kept = False

    def __init__(self) -> None:
        super().__init__(
            "Another request with this key is still running.", code="idempotency_key_in_use"
        )


class RateLimited(ApiError):
    status = 429
    kept = False

    def __init__(self) -> None:
        super().__init__("Too many requests at once.", code="rate_limit")


class Unavailable(ApiError):
    status = 503
    type = "api_error"
    kept = False

    def __init__(self) -> None:
        super().__init__("The service is not available at the moment.")


class ServerError(ApiError):
    """An error on the sandbox's side: kept and replayed, as Stripe does with its own."""

    status = 500
    type = "api_error"

    def __init__(self) -> None:
        super().__init__("Something went wrong on the sandbox's side.")


class CardDeclined(ApiError):
    """The issuer said no. The failed charge and the intent's new state stand."""

    status = 402
    type = "card_error"
    keeps_effects = True

    def __init__(self, message: str, code: str, decline_code: str | None, charge: str) -> None:
        super().__init__(message, code=code)
        self.decline_code = decline_code
        self.charge = charge
        self.payment_intent: Json | None = None

    def body(self) -> Json:
        body = super().body()
        body["error"] |= {"charge": self.charge, "payment_intent": self.payment_intent}
        if self.decline_code is not None:
            body["error"]["decline_code"] = self.decline_code
        return body
