"""Which address is answered by which function."""

from collections.abc import Callable

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule

from billing.sandbox import catalogue, checkout, events, payments, refunds
from billing.sandbox.errors import Json, UnknownAddress

Endpoint = Callable[..., Json]

TABLE: tuple[tuple[str, str, Endpoint], ...] = (
    ("POST", "/v1/checkout/sessions", checkout.create_session),
    ("GET", "/v1/checkout/sessions", checkout.list_sessions),
    ("GET", "/v1/checkout/sessions/<id_>", checkout.retrieve_session),
    ("POST", "/v1/checkout/sessions/<id_>", checkout.update_session),
    ("POST", "/v1/checkout/sessions/<id_>/expire", checkout.expire_session),
    ("GET", "/v1/checkout/sessions/<id_>/line_items", checkout.list_line_items),
    ("GET", "/v1/payment_pages/<id_>", checkout.retrieve_payment_page),
    ("POST", "/v1/payment_pages/<id_>/confirm", checkout.confirm_payment_page),
    ("POST", "/v1/products", catalogue.create_product),
    ("GET", "/v1/products", catalogue.list_products),
    ("GET", "/v1/products/<id_>", catalogue.retrieve_product),
    ("POST", "/v1/prices", catalogue.create_price),
    ("GET", "/v1/prices", catalogue.list_prices),
    ("GET", "/v1/prices/<id_>", catalogue.retrieve_price),
    ("POST", "/v1/customers", catalogue.create_customer),
    ("GET", "/v1/customers/<id_>", catalogue.retrieve_customer),
    ("POST", "/v1/payment_methods", payments.create_payment_method),
    ("GET", "/v1/payment_methods/<id_>", payments.retrieve_payment_method),
    ("POST", "/v1/payment_intents", payments.create_payment_intent),
    ("GET", "/v1/payment_intents", payments.list_payment_intents),
    ("GET", "/v1/payment_intents/<id_>", payments.retrieve_payment_intent),
    ("POST", "/v1/payment_intents/<id_>", payments.update_payment_intent),
    ("POST", "/v1/payment_intents/<id_>/confirm", payments.confirm_payment_intent),
    ("POST", "/v1/payment_intents/<id_>/cancel", payments.cancel_payment_intent),
    ("GET", "/v1/charges", payments.list_charges),
    ("GET", "/v1/charges/<id_>", payments.retrieve_charge),
    ("POST", "/v1/refunds", refunds.create_refund),
    ("GET", "/v1/refunds", refunds.list_refunds),
    ("GET", "/v1/refunds/<id_>", refunds.retrieve_refund),
    ("POST", "/v1/refunds/<id_>", refunds.update_refund),
    ("GET", "/v1/events", events.list_events),
    ("GET", "/v1/events/<id_>", events.retrieve_event),
)

ADDRESSES = Map(
    [Rule(path, endpoint=endpoint, methods=[method]) for method, path, endpoint in TABLE],
    strict_slashes=False,
)


def find(method: str, path: str) -> tuple[Endpoint, dict[str, str]]:
    """The function and the ids in the path. Raises UnknownAddress."""
    try:
        endpoint, ids = ADDRESSES.bind("sandbox").match(path, method)
    except (NotFound, MethodNotAllowed):
        raise UnknownAddress(f"The sandbox does not answer {method} {path}.") from None
    return endpoint, dict(ids)
