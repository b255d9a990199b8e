from datetime import timedelta

import pytest
import sqlalchemy as sa

from practice.accounts import attempts
from practice.accounts.attempts import BY_ADDRESS, BY_BROWSER, Kind, TooManyTries
from practice.accounts.models import SignInAttempt
from practice.accounts.operations import tidy
from tests.conftest import NOW

MOST = BY_ADDRESS[Kind.sign_in].most
WITHIN = BY_ADDRESS[Kind.sign_in].within


def try_often(session, times, address="sam@example.test", browser="192.0.2.1", at=NOW):
    for _ in range(times):
        attempts.count(Kind.sign_in, address, browser, at)


def test_one_try_more_than_the_limit_for_an_address_is_refused(session):
    try_often(session, MOST)
    with pytest.raises(TooManyTries):
        try_often(session, 1, browser="198.51.100.7")


def test_another_address_is_not_slowed_by_it(session):
    try_often(session, MOST)
    try_often(session, 1, address="kim@example.test")


def test_one_browser_trying_many_addresses_is_slowed(session):
    for n in range(BY_BROWSER[Kind.sign_in].most):
        try_often(session, 1, address=f"person{n}@example.test")
    with pytest.raises(TooManyTries):
        try_often(session, 1, address="one.more@example.test")
    try_often(session, 1, address="one.more@example.test", browser="198.51.100.7")


def test_who_changes_the_address_within_one_connection_is_the_same_browser(session):
    for n in range(BY_BROWSER[Kind.sign_in].most):
        try_often(session, 1, address=f"person{n}@example.test", browser=f"2001:db8:0:7::{n:x}")
    with pytest.raises(TooManyTries):
        try_often(session, 1, address="one.more@example.test", browser="2001:db8:0:7:ffff::1")
    try_often(session, 1, address="one.more@example.test", browser="2001:db8:0:8::1")


def test_a_mapped_address_of_ipv4_is_that_address(session):
    for n in range(BY_BROWSER[Kind.sign_in].most):
        try_often(session, 1, address=f"person{n}@example.test", browser="::ffff:192.0.2.1")
    with pytest.raises(TooManyTries):
        try_often(session, 1, address="one.more@example.test", browser="::ffff:192.0.2.1")
    try_often(session, 1, address="one.more@example.test", browser="::ffff:192.0.2.2")


def test_tries_count_until_their_time_is_over_to_the_second(session):
    try_often(session, MOST)
    with pytest.raises(TooManyTries):
        try_often(session, 1, at=NOW + WITHIN - timedelta(seconds=1))
    try_often(session, 1, at=NOW + WITHIN)


def test_a_success_forgives_the_address_but_the_browser_only_its_last_try(session):
    try_often(session, 3)
    attempts.forgive(Kind.sign_in, "sam@example.test", "192.0.2.1")
    left = session.scalar(sa.select(sa.func.count()).select_from(SignInAttempt))
    assert left == 2


def test_signing_in_and_asking_for_mails_are_counted_apart(session):
    try_often(session, MOST)
    attempts.count(Kind.mail, "sam@example.test", "192.0.2.1", NOW)


def test_no_address_stands_in_the_table(session):
    try_often(session, 1)
    counted = set(session.scalars(sa.select(SignInAttempt.counted)))
    assert all(len(value) == 64 and "sam" not in value for value in counted)
    assert len(counted) == 2


def test_old_tries_are_forgotten(session):
    try_often(session, 2, at=NOW - attempts.KEPT_FOR - timedelta(seconds=1))
    try_often(session, 1)
    session.commit()
    tidy(NOW)
    assert session.scalar(sa.select(sa.func.count()).select_from(SignInAttempt)) == 2
