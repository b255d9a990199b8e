"""Both places where tries are counted keep the same promises, and one may be away."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from practice.accounts.attempts import BY_ADDRESS, Kind
from practice.accounts.counters import DatabaseCounter, Limit, RedisCounter, StoreAway, TooMany
from practice.accounts.passwords import hash_password
from tests.builders.accounts import make_client, make_user, sign_in
from tests.builders.second_factors import give_app
from tests.conftest import NOW
from tests.redis_server import RedisServer

WITHIN = timedelta(minutes=15)
LIMITS = {"an account": Limit(3, WITHIN), "a browser": Limit(5, WITHIN)}
ADDRESS = "sam@example.test"
PASSWORD = "tea in the rain"


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    # A socket's path may have some hundred letters, and those of single tests are longer.
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["database", "redis"])
def counter(request, session):
    if request.param == "database":
        return DatabaseCounter()
    return RedisCounter(request.getfixturevalue("server").url)


@pytest.fixture
def with_redis(app, server) -> Iterator[RedisServer]:
    """The application counts in Redis for the length of a test."""
    before = app.extensions["attempt_counter"]
    app.extensions["attempt_counter"] = RedisCounter(server.url)
    yield server
    app.extensions["attempt_counter"] = before


def taken(counter, limits, at=NOW) -> bool:
    try:
        counter.add(limits, at)
    except TooMany:
        return False
    return True


def test_as_many_as_the_limit_are_taken_and_no_more(counter):
    assert [taken(counter, LIMITS) for _ in range(5)] == [True, True, True, False, False]


def test_a_refused_try_counts_nowhere(counter):
    for _ in range(5):
        taken(counter, LIMITS)
    browser = {"a browser": LIMITS["a browser"]}
    assert [taken(counter, browser) for _ in range(3)] == [True, True, False]


def test_tries_count_until_their_time_is_over(counter):
    for _ in range(3):
        taken(counter, LIMITS)
    assert not taken(counter, LIMITS, NOW + WITHIN - timedelta(seconds=1))
    assert taken(counter, LIMITS, NOW + WITHIN)


def test_what_is_forgiven_is_all_of_an_account_and_the_last_of_a_browser(counter):
    for _ in range(3):
        taken(counter, LIMITS)
    counter.forgive("an account", "a browser")
    assert taken(counter, {"an account": LIMITS["an account"]})
    browser = {"a browser": LIMITS["a browser"]}
    assert [taken(counter, browser) for _ in range(4)] == [True, True, True, False]


def test_tries_at_the_same_moment_do_not_slip_through(server):
    counters = [RedisCounter(server.url) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda one: [taken(one, LIMITS) for _ in range(5)], counters))
    assert sum(sum(result) for result in results) == 3


def test_nor_do_they_slip_through_the_database(app, session):
    def tries(_number: int) -> int:
        with app.app_context():
            return sum(taken(DatabaseCounter(), LIMITS) for _ in range(5))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(tries, range(8))) == 3


def test_no_address_stands_in_redis(with_redis, http, session):
    import redis

    http.post("/sign-in", data={"email": ADDRESS, "password": "not the one"})
    kept = redis.Redis.from_url(with_redis.url)
    keys = kept.keys("*")
    assert len(keys) == 2
    assert all(b"sam" not in key and len(key) > 64 for key in keys)
    assert all(0 < kept.pttl(key) <= WITHIN.total_seconds() * 1000 for key in keys)


def test_a_store_that_is_away_says_so(server):
    counter = RedisCounter(server.url)
    server.stop()
    with pytest.raises(StoreAway):
        counter.add(LIMITS, NOW)
    with pytest.raises(StoreAway):
        counter.forgive("an account", "a browser")


@pytest.fixture
def user(session):
    user = make_user(session, ADDRESS, password_hash=hash_password(PASSWORD))
    return make_client(session, user=user).user


def test_redis_slows_guessing_as_the_database_does(with_redis, http, session, user):
    session.commit()
    for _ in range(BY_ADDRESS[Kind.sign_in].most):
        http.post("/sign-in", data={"email": ADDRESS, "password": "not the one"})
    answer = http.post("/sign-in", data={"email": ADDRESS, "password": PASSWORD})
    assert "wait a quarter of an hour" in answer.text
    assert http.get("/account").status_code == 303


@pytest.mark.parametrize(
    ("path", "typed"),
    [
        ("/sign-in", {"email": ADDRESS, "password": PASSWORD}),
        ("/sign-in", {"email": "nobody@example.test", "password": PASSWORD}),
        ("/forgotten", {"email": ADDRESS}),
        ("/sign-up", {"adult": "yes", "email": "kim@example.test", "password": PASSWORD}),
        ("/passkey-options", {}),
    ],
)
def test_while_redis_is_away_nobody_signs_in_and_the_page_says_so(
    with_redis, http, session, user, path, typed
):
    session.commit()
    with_redis.stop()
    answer = http.post(path, data=typed)
    assert answer.status_code == 503
    assert "Signing in is not possible just now" in answer.text
    assert http.get("/account").status_code == 303


def test_the_second_step_is_closed_too_while_redis_is_away(with_redis, http, session, user):
    give_app(session, user)
    session.commit()
    http.post("/sign-in", data={"email": ADDRESS, "password": PASSWORD})
    with_redis.stop()
    assert http.post("/sign-in/second-step", data={"code": "000000"}).status_code == 503


def test_whoever_is_signed_in_goes_on_while_redis_is_away(with_redis, http, session, user):
    sign_in(http, user)
    with_redis.stop()
    assert http.post("/account", data={"name": "Robin"}).status_code == 303
    assert http.get("/today").status_code == 200
    assert http.post("/confirm-it-is-you", data={"password": PASSWORD}).status_code == 503
    assert http.get("/account").status_code == 200


def test_when_redis_is_back_signing_in_is_too(with_redis, http, session, user):
    session.commit()
    with_redis.stop()
    data = {"email": ADDRESS, "password": PASSWORD}
    assert http.post("/sign-in", data=data).status_code == 503
    with_redis.start()
    assert http.post("/sign-in", data=data).status_code == 303
