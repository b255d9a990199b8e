"""What tests of care's pages share."""

import re

import sqlalchemy as sa
from bs4 import BeautifulSoup

from core.audit import AuditEntry


def text(response):
    page = BeautifulSoup(response.data, "html.parser")
    return re.sub(r"\s+", " ", page.get_text(" "))


def actions(session, **columns):
    entries = sa.select(AuditEntry).filter_by(**columns).order_by(AuditEntry.id)
    return [entry.action for entry in session.scalars(entries)]
