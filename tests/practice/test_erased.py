"""What was erased, or tampered with, as pages show it."""

import logging

import pytest
import sqlalchemy as sa

from core import keys
from core.keys import Realm
from practice.accounts.models import Client, Role, User
from tests.builders.accounts import make_client, make_user, sign_in
from tests.builders.intake import make_duty_clinician, make_flag, make_shift


@pytest.fixture
def flag(session):
    """Somebody's flag on a duty clinician's list."""
    make_shift(session, make_duty_clinician(session))
    return make_flag(session, make_client(session, preferred_name="Marisol", phone="206 555 0100"))


@pytest.fixture
def clinician(session, http, flag):
    user = make_duty_clinician(session)
    sign_in(http, user)
    return user


def change(session, model, row_id, column):
    """One bit of a sealed value, by somebody with the database in hand."""
    table = model.__table__
    stored = bytearray(session.scalar(sa.select(table.c[column]).where(table.c.id == row_id)))
    stored[-1] ^= 1
    session.execute(sa.update(table).where(table.c.id == row_id).values({column: bytes(stored)}))
    session.commit()


def test_a_page_says_what_was_erased_and_goes_on(session, http, clinician, flag):
    keys.destroy(session, flag.client.user.public_id, Realm.account)
    session.commit()
    page = http.get(f"/flags/{flag.public_id}")
    assert page.status_code == 200
    assert "erased" in page.text
    assert "Marisol" in page.text


def test_a_list_says_whose_name_was_erased_and_goes_on(session, http, clinician):
    admin = make_user(session, name="Ines Prado", roles=(Role.administrator,))
    other = make_user(session, name="Tomas Vidal", roles=(Role.moderator,))
    sign_in(http, admin)
    keys.destroy(session, other.public_id)
    session.commit()
    page = http.get("/oversight/staff")
    assert page.status_code == 200
    assert "Ines Prado" in page.text
    assert "Tomas Vidal" not in page.text
    assert "erased" in page.text


def test_a_tampered_value_is_an_error_that_shows_and_logs_nothing_of_it(
    session, http, clinician, flag, caplog
):
    change(session, Client, flag.client_id, "preferred_name_sealed")
    with caplog.at_level(logging.INFO):
        page = http.get(f"/flags/{flag.public_id}")
    assert page.status_code == 500
    assert "Something went wrong on our side" in page.text
    assert "Unreadable" in caplog.text
    for secret in ("Marisol", "206 555", flag.client.user.email):
        assert secret not in page.text
        assert secret not in caplog.text


def test_a_tampered_name_of_whoever_is_signed_in_still_gets_an_error_page(session, http, clinician):
    change(session, User, clinician.id, "name_sealed")
    page = http.get("/flags")
    assert page.status_code == 500
    assert "Something went wrong on our side" in page.text
