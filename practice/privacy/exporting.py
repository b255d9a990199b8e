"""The archive of everything: data for a machine, a document for a person, and signed copies.

Made in memory while the person waits, and kept nowhere.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from flask import render_template
from markupsafe import Markup
from sqlalchemy.orm import Session

from core.config import current_settings
from practice.accounts.models import Client
from practice.consent.copying import NotAsSealed, copy_page
from practice.consent.models import Signature
from practice.privacy.copying import Values, consent_file, everything_of, signatures_of

LOOK = Path(__file__).parent / "copy.css"
README = """This archive holds everything that {organisation} keeps about you.

your-data.html   for reading: open it in any browser, it needs no connection
data.json        the same for a machine; its shapes stand in docs/reference/export.md
consents/        each text you signed; anybody can check these with the published key

Keep it in a safe place: it is no longer protected by your password.
"""


def archive(session: Session, client: Client, at: datetime) -> bytes:
    """A ZIP of `files_of`."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in files_of(session, client, at):
            file.writestr(zipfile.ZipInfo(name, at.timetuple()[:6]), text, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def archive_name(client: Client, at: datetime) -> str:
    return f"your-data-{at:%Y-%m-%d}-{str(client.public_id)[:8]}.zip"


def files_of(session: Session, client: Client, at: datetime) -> Iterator[tuple[str, str]]:
    """(name, text) of each file of the copy."""
    values = everything_of(session, client, at)
    yield "read-me-first.txt", README.format(organisation=current_settings().organisation)
    yield "data.json", json.dumps(values, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    yield "your-data.html", _document(values, client)
    for signature in signatures_of(session, client):
        yield _signed_copy(session, signature, at)


def _document(values: Values, client: Client) -> str:
    # The page stands alone, so it carries its own look; our own files hold no markup of others.
    style = Markup("<style>{}</style>").format(Markup(LOOK.read_text()))
    return render_template("privacy/document.html", data=values, look=style, zone=client.zone)


def _signed_copy(session: Session, signature: Signature, at: datetime) -> tuple[str, str]:
    try:
        return consent_file(signature), copy_page(session, signature, at)
    except NotAsSealed as refusal:
        # One that does not fit its seal must not keep the person from all the rest.
        return f"{consent_file(signature)}.txt", f"{refusal.message}\n"
