"""A small, stateful, Stripe-compatible payment sandbox: a process of its own, with its own state.

It answers the real `stripe` client through its base address, so demo, tests and live share one
code path. It is no part of what an installation with a real key runs.
"""

from billing.sandbox.errors import ApiError, CardDeclined
from billing.sandbox.sandbox import Sandbox
from billing.sandbox.webhooks import Attempt

create_sandbox = Sandbox

__all__ = ["ApiError", "Attempt", "CardDeclined", "Sandbox", "create_sandbox"]
