from dataclasses import replace

import pytest
from flask import request

from core.access import anyone, policy
from practice.app import create_app


@pytest.mark.parametrize(("trusted", "seen"), [(0, "127.0.0.1"), (1, "192.0.2.7")])
def test_a_browsers_address_is_believed_only_of_proxies_of_ours(settings, trusted, seen):
    app = create_app(replace(settings, trusted_proxies=trusted))

    @app.get("/who")
    @policy(anyone)
    def who() -> str:
        return request.remote_addr or ""

    said = {"X-Forwarded-For": "203.0.113.9, 192.0.2.7"}
    assert app.test_client().get("/who", headers=said).text == seen
