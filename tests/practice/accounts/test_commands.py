import pytest
from click.testing import CliRunner
from flask.cli import ScriptInfo

from practice.accounts.commands import create_admin_command
from practice.accounts.models import Role
from practice.accounts.passwords import is_right
from practice.accounts.queries import user_with
from tests.builders.accounts import make_user

PASSWORD = "tea in the rain"


@pytest.fixture
def run(app):
    def run(*arguments, typed=PASSWORD + "\n"):
        application = ScriptInfo(create_app=lambda: app, set_debug_flag=False)
        return CliRunner().invoke(create_admin_command, arguments, input=typed, obj=application)

    return run


def test_the_first_administrator_can_sign_in_at_once(run, session):
    done = run("Kay@Example.test", "--password-stdin", "--name", "Kay")
    assert done.exit_code == 0
    user = user_with(session, "kay@example.test")
    assert user.roles == {Role.administrator}
    assert user.is_confirmed
    assert is_right(PASSWORD, user.password_hash)


def test_the_password_is_asked_for_twice_and_never_shown(run, session):
    done = run("kay@example.test", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert done.exit_code == 0
    assert PASSWORD not in done.output
    assert user_with(session, "kay@example.test")


def test_a_taken_address_is_refused_and_left_as_it_is(run, session):
    make_user(session, "kay@example.test")
    session.commit()
    done = run("kay@example.test", "--password-stdin")
    assert done.exit_code == 2
    assert user_with(session, "kay@example.test").roles == {Role.client}


@pytest.mark.parametrize(
    ("email", "password"),
    [("kay", PASSWORD), ("kay@example.test", "short"), ("kay@example.test", "")],
)
def test_what_cannot_be_used_ends_with_two_and_one_line(run, session, email, password):
    done = run(email, "--password-stdin", typed=password + "\n")
    assert done.exit_code == 2
    assert len(done.output.strip().splitlines()) == 1
    assert user_with(session, email) is None
