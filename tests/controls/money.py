"""Seats, times and money: nothing is sold twice, charged twice or given back twice."""

from tests.controls.control import Control

GROUPS = "practice/groups/operations.py"
SEATS = "tests/practice/groups/test_last_seat.py"
BILLING = "billing/operations.py"
BILLING_TESTS = "tests/billing/test_operations.py"
WEBHOOKS = "billing/webhooks.py"
WEBHOOK_TESTS = "tests/billing/test_webhooks.py"

CONTROLS = (
    Control(
        "the last seat is sold once",
        "one seat more than there are is sold",
        GROUPS,
        "for number in range(1, group.seats + 1)",
        "for number in range(1, group.seats + 2)",
        (
            f"{SEATS}::test_of_many_people_for_the_last_seat_one_gets_it",
            "tests/practice/groups/test_operations.py::test_the_last_seat_gone_leaves_no_signature_behind",
        ),
    ),
    Control(
        "a hold that ran out frees its seat",
        "holds last for ever",
        GROUPS,
        "Enrolment.group_id == group.id, Enrolment.held_until <= at)",
        "Enrolment.group_id == group.id, sa.false())",
        (
            "tests/practice/groups/test_operations.py"
            "::test_a_hold_that_ran_out_frees_its_seat_before_any_sweep",
        ),
    ),
    Control(
        "a therapy group is screened first",
        "anybody takes a seat",
        GROUPS,
        "raise ScreeningFirst",
        "pass",
        (
            "tests/practice/groups/test_operations.py"
            "::test_a_therapy_group_is_screened_before_anything_is_signed_or_paid",
        ),
    ),
    Control(
        "somebody in the group may practise where the client is",
        "the place is not looked at",
        GROUPS,
        "if not has_lead_in(group, place, at):",
        "if False:",
        (
            "tests/practice/groups/test_operations.py::test_a_lead_must_be_licensed_where_the_client_is",
        ),
    ),
    Control(
        "taking a seat twice is taking it once",
        "a second click takes a second seat",
        GROUPS,
        "if live is not None and live.has_seat:\n        return live",
        "live = None",
        (
            "tests/practice/groups/test_operations.py::test_taking_a_seat_twice_is_taking_it_once",
            f"{SEATS}::test_fifty_double_clicks_are_one_enrolment_and_one_order",
        ),
    ),
    Control(
        "a time is booked once",
        "the free times are not asked again under the lock",
        "practice/appointments/operations.py",
        "if not chosen:",
        "chosen = chosen or [type('T', (), dict(starts_at=starts_at, "
        "ends_at=starts_at + timedelta(minutes=50)))]\n    if not chosen:",
        ("tests/practice/appointments/test_operations.py::test_only_free_times_can_be_chosen",),
    ),
    Control(
        "a hold that ran out cannot be signed for",
        "old holds are booked",
        "practice/appointments/operations.py",
        "if not appointment.is_held_at(at):\n        raise HoldRanOut",
        "pass",
        (
            "tests/practice/appointments/test_operations.py"
            "::test_a_hold_that_ran_out_cannot_be_signed_for",
        ),
    ),
    Control(
        "a webhook is believed only when signed",
        "the signature is not verified",
        WEBHOOKS,
        "stripe.WebhookSignature.verify_header(body, signature, settings.stripe_webhook_secret)",
        "pass",
        (f"{WEBHOOK_TESTS}::test_what_is_not_genuine_is_refused_and_writes_nothing",),
    ),
    Control(
        "a signature is good for five minutes either side",
        "old and future words are believed",
        WEBHOOKS,
        "if abs(heard_at.timestamp() - said_at) > TOLERANCE:",
        "if False:",
        (f"{WEBHOOK_TESTS}::test_what_is_not_genuine_is_refused_and_writes_nothing",),
    ),
    Control(
        "an event of the other mode is refused",
        "test money counts as real",
        WEBHOOKS,
        'if event.livemode is not ("_live_" in settings.stripe_api_key):',
        "if False:",
        (f"{WEBHOOK_TESTS}::test_an_event_of_the_other_mode_is_refused",),
    ),
    Control(
        "an event is carried out once",
        "repeated events are handled again",
        BILLING,
        "if order is None or order.state is OrderState.paid:\n        return",
        "if order is None:\n        return",
        (f"{WEBHOOK_TESTS}::test_each_event_twice_in_either_order_is_one_charge",),
    ),
    Control(
        "fifty clicks open one payment page",
        "each click asks under a new key",
        "billing/stripe_port.py",
        'sessions.create(_checkout_parameters(intent), {"idempotency_key": key})',
        "sessions.create(_checkout_parameters(intent), "
        '{"idempotency_key": str(__import__("uuid").uuid4())})',
        (f"{BILLING_TESTS}::test_a_page_whose_answer_was_lost_is_found_again",),
    ),
    Control(
        "more than was paid never goes back",
        "refunds are not capped",
        BILLING,
        "if not 0 < amount <= charge.refundable:",
        "if False:",
        (
            f"{BILLING_TESTS}::test_more_than_was_paid_never_goes_back",
            f"{BILLING_TESTS}::test_nothing_and_less_than_nothing_are_no_refund",
        ),
    ),
    Control(
        "a receipt is for who paid",
        "orders of all clients",
        "practice/payments/policy.py",
        ".where(Payer.reference == client.public_id)",
        "",
        ("tests/practice/payments/test_paying.py::test_a_receipt_is_for_who_paid",),
    ),
    Control(
        "the payment company learns neither person nor group",
        "who pays is named on the page",
        BILLING,
        "description=DESCRIPTION,\n",
        "description=f'{DESCRIPTION} {payer_reference}',\n",
        (
            f"{BILLING_TESTS}::test_the_payment_company_learns_an_opaque_id_an_amount_and_neutral_words",
        ),
    ),
)
