"""The page of the audit of fairness, for the clinical lead."""

from flask import render_template

from core.access import policy
from core.clock import now
from core.database import db
from matching.auditing import FEWEST_PEOPLE
from practice.asking import ask_for
from practice.oversight.blueprint import Page, bp
from practice.oversight.fairness import reports as audits
from practice.oversight.fairness.words import told
from practice.oversight.policy import is_clinical_lead


@bp.get("/oversight/fairness")
@policy(is_clinical_lead)
def fairness() -> Page:
    session = db.session()
    report = audits.last_report(session)
    return render_template(
        "oversight/fairness.html",
        report=report,
        told=told(audits.comparisons_of(report)) if report else None,
        tested=report.figures["tested"] if report else 0,
        round=audits.COUNT.standing(session, now()),
        fewest=FEWEST_PEOPLE,
    )


@bp.post("/oversight/fairness/count")
@policy(is_clinical_lead)
def count_fairness() -> Page:
    return ask_for(audits.COUNT, "oversight.fairness")
