"""`expand[]`: an id in the answer becomes the object it names (Stripe, "Expanding responses")."""

from billing.sandbox.call import Call
from billing.sandbox.checkout import line_items_of
from billing.sandbox.errors import BadParameter, Json

EXPANDABLE = frozenset(
    {"charge", "customer", "latest_charge", "payment_intent", "payment_method", "product"}
)


def expanded(call: Call, body: Json, paths: list[str]) -> Json:
    """A copy of the answer with every path filled in. Raises BadParameter for an unknown one."""
    for path in paths:
        body = _fill(call, body, path.split("."), path)
    return body


def _fill(call: Call, body: Json, names: list[str], path: str) -> Json:
    name, rest = names[0], names[1:]
    if name == "line_items" and body.get("object") == "checkout.session":
        inner: object = line_items_of(call, body)
    else:
        inner = body.get(name)
    return {**body, name: _opened(call, inner, name, rest, path)}


def _opened(call: Call, inner: object, name: str, rest: list[str], path: str) -> object:
    if isinstance(inner, str) and name in EXPANDABLE:
        inner = call.books.find(inner)
    elif isinstance(inner, str) or (inner is None and name not in EXPANDABLE):
        raise BadParameter(f"{path} cannot be expanded.", param="expand")
    if not rest or inner is None:
        return inner
    if isinstance(inner, list):
        return [_fill(call, entry, rest, path) for entry in inner]
    return _fill(call, inner, rest, path) if isinstance(inner, dict) else inner
