"""Pages of the ledger, and its public key for everybody."""

from collections.abc import Iterator

from flask import Response, jsonify, render_template, stream_with_context
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from core.access import policy
from core.canonical import instant
from core.clock import now
from core.config import current_settings
from core.database import db, unit_of_work
from core.errors import NotFound
from core.exporting import Export, begin_export
from core.ledger import seal_now
from core.signing import LedgerKey, published_keys
from practice.accounts.policy import anyone, step_up
from practice.asking import ask_for
from practice.forms import EmptyForm
from practice.oversight.blueprint import Page, bp
from practice.oversight.ledger import checking as ledgers
from practice.oversight.policy import is_administrator
from practice.oversight.queries import action_words
from practice.when import date_words


@bp.get("/.well-known/attune-ledger-key")
@policy(anyone)
def ledger_key() -> AnyResponse:
    """The keys that have signed the ledger, the one in use first; `verify --key` reads this."""
    return jsonify(
        keys=[
            {
                "algorithm": "Ed25519",
                "id": key.key,
                "public": key.public,
                "since": instant(key.made_at),
                "until": instant(key.retired_at) if key.retired_at else None,
            }
            for key in published_keys(db.session())
        ]
    )


@bp.get("/oversight/ledger")
@policy(is_administrator)
def ledger() -> Page:
    standing = ledgers.standing()
    return render_template(
        "oversight/ledger.html",
        ledger=standing,
        at=now(),
        key_facts=[(_in_use(key), key.public) for key in standing.keys],
        action_words=action_words,
    )


@bp.post("/oversight/ledger/check")
@policy(is_administrator)
def check_ledger() -> Page:
    return ask_for(ledgers.CHECK, "oversight.ledger")


@bp.get("/oversight/ledger/export")
@policy(is_administrator)
@step_up
def export_ledger() -> Page:
    return render_template("oversight/ledger_export.html", form=EmptyForm())


@bp.post("/oversight/ledger/export")
@policy(is_administrator)
@step_up
def download_ledger() -> Page:
    """Sealed first, then sent line by line."""
    at = now()
    seal_now(at)
    export = begin_export(db.session())
    if export is None:
        raise NotFound
    with unit_of_work() as session:
        ledgers.record_export(session, export.checkpoint, current_user.user, at)
    response = Response(stream_with_context(_lines(export)), mimetype="application/x-ndjson")
    name = f"ledger-{at:%Y-%m-%d}-{export.checkpoint.size}.jsonl"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _in_use(key: LedgerKey) -> str:
    zone = current_settings().zone
    until = f" until {date_words(key.retired_at, zone)}" if key.retired_at else ", in use"
    return f"{key.key}, since {date_words(key.made_at, zone)}{until}"


def _lines(export: Export) -> Iterator[bytes]:
    yield from export.lines(db.session())
