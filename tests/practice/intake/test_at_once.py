"""Several tabs at once share one run of the intake and raise one flag."""

from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa

from practice.accounts.models import Role
from practice.intake.models import Intake, RiskFlag
from tests.builders.accounts import make_client, make_user, sign_in
from tests.builders.intake import make_flag, make_shift

TABS = 8


def test_eight_tabs_that_save_the_same_answer_share_one_intake_and_one_flag(session, app, http):
    make_shift(session)
    client = make_client(session)
    tabs = [app.test_client() for _ in range(TABS)]
    for tab in tabs:
        sign_in(tab, client.user)

    def save(tab):
        return tab.post("/intake/phq-9-9", data={"value": "2"}).status_code

    with ThreadPoolExecutor(TABS) as threads:
        assert set(threads.map(save, tabs)) == {303}
    session.rollback()
    assert len(session.scalars(sa.select(Intake)).all()) == 1
    assert len(session.scalars(sa.select(RiskFlag)).all()) == 1


def test_of_several_clinicians_who_close_a_flag_at_once_one_decides(session, app, http):
    flag = make_flag(session)
    session.commit()
    address = f"/flags/{flag.public_id}"
    clinicians = [app.test_client() for _ in range(TABS)]
    for clinician in clinicians:
        sign_in(clinician, make_user(session, roles=(Role.duty_clinician,)))
        clinician.get(address)
    clinicians[0].post(f"{address}/contacts", data={"manner": "telephone", "reached": "no"})

    def close(clinician):
        sent = {"result": "referred_urgently", "reason": "Seen tonight."}
        return clinician.post(f"{address}/outcome", data=sent).status_code

    with ThreadPoolExecutor(TABS) as threads:
        answers = sorted(threads.map(close, clinicians))
    assert answers == [303, *[422] * (TABS - 1)]
