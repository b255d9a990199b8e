"""Products, prices and customers: the little of them that a payment names."""

from billing.sandbox.call import Call, listing
from billing.sandbox.errors import BadParameter, Json
from billing.sandbox.parameters import Params
from billing.sandbox.store import new_id

LARGEST_AMOUNT = 99_999_999


def create_product(call: Call) -> Json:
    return call.books.add(_product(call, call.params, active=True))


def retrieve_product(call: Call, id_: str) -> Json:
    return call.books.get("product", id_)


def list_products(call: Call) -> Json:
    return listing(call, "product", "/v1/products")


def create_price(call: Call) -> Json:
    product = call.params.text("product")
    inline = call.params.group("product_data")
    return _add_price(call, call.params, product, inline, active=True)


def price_of_line(call: Call, data: Params) -> Json:
    """The price that `price_data` describes, made for this one session and not on sale."""
    product, inline = data.text("product"), data.group("product_data")
    return _add_price(call, data, product, inline, active=False)


def retrieve_price(call: Call, id_: str) -> Json:
    return call.books.get("price", id_)


def list_prices(call: Call) -> Json:
    return listing(call, "price", "/v1/prices", by=("product", "currency"))


def create_customer(call: Call) -> Json:
    return call.books.add(
        {
            "id": new_id("cus", 14),
            "object": "customer",
            "created": call.now,
            "description": call.params.text("description"),
            "email": call.params.text("email"),
            "livemode": False,
            "metadata": call.params.metadata(),
            "name": call.params.text("name"),
        }
    )


def retrieve_customer(call: Call, id_: str) -> Json:
    return call.books.get("customer", id_)


def currency_of(params: Params) -> str:
    currency = params.need_text("currency").lower()
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        raise BadParameter("currency must be an ISO 4217 code.", param=params.path("currency"))
    return currency


def amount_of(params: Params, name: str, *, least: int = 0) -> int:
    """Minor units within what Stripe takes in: at most eight digits."""
    amount = params.need_whole(name)
    if not least <= amount <= LARGEST_AMOUNT:
        code = "amount_too_small" if amount < least else "amount_too_large"
        raise BadParameter(
            f"{params.path(name)} must lie between {least} and {LARGEST_AMOUNT}.",
            param=params.path(name),
            code=code,
        )
    return amount


def _add_price(
    call: Call, params: Params, product: str | None, inline: Params | None, *, active: bool
) -> Json:
    if (product is None) == (inline is None):
        raise BadParameter(
            "Give either product or product_data.", param=params.path("product"),
            code="parameter_missing",
        )  # fmt: skip
    owner = _owner(call, product, inline, params.path("product"))
    return call.books.add(_price(call, params, owner, active=active))


def _owner(call: Call, product: str | None, inline: Params | None, param: str) -> Json:
    if inline is not None:
        return call.books.add(_product(call, inline, active=False))
    return call.books.get("product", product or "", param=param)


def _product(call: Call, params: Params, *, active: bool) -> Json:
    return {
        "id": new_id("prod", 14),
        "object": "product",
        "active": active,
        "created": call.now,
        "description": params.text("description"),
        "images": params.texts("images"),
        "livemode": False,
        "metadata": params.metadata(),
        "name": params.need_text("name"),
        "tax_code": params.text("tax_code"),
    }


def _price(call: Call, params: Params, product: Json, *, active: bool) -> Json:
    amount = amount_of(params, "unit_amount")
    return {
        "id": new_id("price"),
        "object": "price",
        "active": active,
        "billing_scheme": "per_unit",
        "created": call.now,
        "currency": currency_of(params),
        "livemode": False,
        "metadata": params.metadata(),
        "nickname": params.text("nickname"),
        "product": product["id"],
        "recurring": None,
        "tax_behavior": params.only("tax_behavior", "unspecified") or "unspecified",
        "type": "one_time",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
        "_product_name": product["name"],
    }
