"""Everything that is a client's, as values for a file: their own, and nobody else's.

The shapes are documented in docs/reference/export.md; `VERSION` grows with every change of them.
Left out on purpose: other clients, what therapists have not published, and the words of clinicians
and leaders, which the records custodian gives out after a clinician has looked at them (45 CFR
164.524(a)(3)).
"""

import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

import matching
from core.config import current_settings
from practice.accounts.models import AuthenticatorApp, Client, Passkey, SignInSession
from practice.appointments.models import Appointment
from practice.care.models import ClosingNote, Episode
from practice.care.queries import openings_of
from practice.consent.models import Signature
from practice.consent.purposes import PURPOSES
from practice.groups.models import Enrolment
from practice.intake.in_words import in_words
from practice.intake.instruments import INSTRUMENTS
from practice.intake.models import Assessment, Intake, IntakeAnswer, RiskFlag
from practice.intake.pages import BY_KEY, PAGES
from practice.matches.models import MatchAlert, MatchRequest, Proposal, ProposalKind, WeightsVersion
from practice.matches.reviews.models import MatchReview
from practice.matches.sharing import in_lines
from practice.matches.words import FACTOR_LABELS, STANDING_LABELS, WishWords
from practice.payments.queries import payment_lines
from practice.privacy.holdings import HOLDINGS
from practice.privacy.presenting import own_acts
from practice.therapists.models import Therapist
from practice.waiting.models import Placement, WaitingEntry

FORMAT, VERSION = "attune-export", 1
Values = dict[str, Any]

# The engine's rules in words: each gives yes, or no (docs/reference/matching.md).
RULES = {
    "licence": "They must be allowed to work in the place where you are.",
    "capacity": "They must have room for somebody new.",
    "age": "They must see people of your age.",
    "service": "They must offer the kind of help you asked for.",
    "scope": "What you need must be within what they take on; else a person helps you further.",
    "language": "You must share a language.",
    "payment": "Their price or plan must fit how you pay.",
    "format": "You must share a way of meeting.",
    "hours": "You must share at least one whole hour of the week.",
    "exclusion": "Whoever you or they excluded, or who turned you down lately, is not offered.",
    "must": "What you called a must-have must stand on their profile.",
}


def everything_of(session: Session, client: Client, at: datetime) -> Values:
    """The whole copy, ready to be written as JSON; instants are ISO 8601 in UTC."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "made_at": _iso(at),
        "organisation": current_settings().organisation,
        "reference": str(client.public_id),
        **{name: section(session, client) for name, section in SECTIONS.items()},
    }


def _account(session: Session, client: Client) -> Values:
    user = client.user
    return {
        "email": user.email,
        "opened_at": _iso(user.created_at),
        "confirmed_at": _iso(user.email_confirmed_at),
        "password": "kept as a scrambled form only",
        "browsers": [
            {
                "browser": one.browser,
                "began_at": _iso(one.created_at),
                "last_used_at": _iso(one.last_seen_at),
                "ended_at": _iso(one.ended_at),
            }
            for one in _all(session, SignInSession, SignInSession.user_id == user.id)
        ],
        "passkeys": [
            {"name": one.name, "made_at": _iso(one.created_at)}
            for one in _all(session, Passkey, Passkey.user_id == user.id)
        ],
        "code_apps": [
            {"made_at": _iso(one.created_at)}
            for one in _all(session, AuthenticatorApp, AuthenticatorApp.user_id == user.id)
        ],
    }


def _person(client: Client) -> Values:
    return {
        "name": client.preferred_name,
        "phone": client.phone,
        "place": client.place,
        "zone": client.zone,
        "adult_attested_at": _iso(client.adult_attested_at),
    }


def _answers(session: Session, client: Client) -> list[Values]:
    return [
        {
            "began_at": _iso(one.started_at),
            "submitted_at": _iso(one.submitted_at),
            "pages": [_answer(answer) for answer in _in_order(one.answers)],
        }
        for one in _theirs(session, Intake, client)
    ]


def _in_order(answers: Iterable[IntakeAnswer]) -> list[IntakeAnswer]:
    places = {page.key: number for number, page in enumerate(PAGES)}
    return sorted(answers, key=lambda answer: places.get(answer.page, len(places)))


def _answer(answer: IntakeAnswer) -> Values:
    known = answer.page in BY_KEY
    return {
        "page": answer.page,
        "asked": BY_KEY[answer.page].asks if known else answer.page,
        "value": answer.value,
        "words": in_words(answer.page, answer.value) if known else [],
        "answered_at": _iso(answer.answered_at),
    }


def _scores(session: Session, client: Client) -> list[Values]:
    return [_score(one) for one in _theirs(session, Assessment, client)]


def _score(assessment: Assessment) -> Values:
    instrument = INSTRUMENTS.get(assessment.instrument)
    asked = [item.text for item in instrument.items] if instrument else []
    return {
        "instrument": instrument.name if instrument else assessment.instrument,
        "code": assessment.instrument,
        "instrument_version": assessment.instrument_version,
        "taken_at": _iso(assessment.taken_at),
        "total": assessment.total,
        "band": assessment.band,
        "status": assessment.result["status"],
        "items": [
            {"asked": text, "answer": response}
            for text, response in zip(asked, assessment.responses, strict=False)
        ],
    }


def _safety(session: Session, client: Client) -> list[Values]:
    """That a worry was there, what was promised and what was done; not what clinicians wrote."""
    return [_worry(flag) for flag in _theirs(session, RiskFlag, client)]


def _worry(flag: RiskFlag) -> Values:
    outcome = flag.outcome
    return {
        "raised_at": _iso(flag.raised_at),
        "raised_by": flag.raised_by,
        "promised": flag.promised,
        "read_at": [_iso(reading.read_at) for reading in flag.readings],
        "contacts": [
            {"at": _iso(one.at), "manner": one.manner.label, "reached": one.reached}
            for one in flag.contacts
        ],
        "closed_at": _iso(outcome.at) if outcome else None,
        "result": outcome.result.label if outcome else None,
    }


def _matches(session: Session, client: Client) -> Values:
    alerts = _theirs(session, MatchAlert, client)
    return {
        "rules": RULES,
        "factors": dict(FACTOR_LABELS),
        "lists": _shown_as(session, client, ProposalKind.matches),
        "why_not": _shown_as(session, client, ProposalKind.why_not),
        "looked_again": _shown_as(session, client, ProposalKind.review),
        "asked_to_be_told_at": [_iso(one.asked_at) for one in alerts],
        "asked_a_person": [_review(one) for one in _theirs(session, MatchReview, client)],
    }


def _shown_as(session: Session, client: Client, kind: ProposalKind) -> list[Values]:
    wanted = sa.and_(Proposal.client_id == client.id, Proposal.kind == kind)
    return [_proposal(session, one) for one in _all(session, Proposal, wanted)]


def _review(review: MatchReview) -> Values:
    return {
        "asked_at": _iso(review.asked_at),
        "promised_by": _iso(review.due_at),
        "state": review.state.value,
        "your_words": review.words,
        "ended_at": _iso(review.ended_at),
        "answer": review.answer,
        "suggested": [each.therapist.name for each in review.suggestions],
    }


def _proposal(session: Session, proposal: Proposal) -> Values:
    """The list worked out again from what was kept: the same rules, weights and points."""
    weights = _weights(session, proposal.weights_version)
    values = matching.Client.from_json(proposal.client_inputs)
    shown = [matching.Therapist.from_json(one) for one in proposal.shown]
    index = matching.Index(shown, on=values.on)
    prices = matching.Prices(proposal.prices)
    names = _names(session, [one.id for one in shown])
    words = WishWords(values, current_settings().currency)
    return {
        "number": str(proposal.public_id),
        "place_told": proposal.place_told,
        "made_at": _iso(proposal.made_at),
        "engine_version": proposal.engine_version,
        "weights_version": proposal.weights_version,
        "weights": weights.by_factor,
        "your_inputs": proposal.client_inputs,
        "shown": [
            _shown(index.explain(values, one.id, weights, prices), names.get(one.id, ""), words)
            for one in shown
        ],
    }


def _shown(explanation: matching.Explanation, name: str, words: WishWords) -> Values:
    return {
        "therapist": name,
        "points": explanation.total,
        "little_known": explanation.bonus,
        "needed_elsewhere": -explanation.price,
        "of": 1_000_000,
        "lines": [
            {
                "factor": line.factor,
                "weight": line.weight,
                "score": line.score,
                "points": line.points,
                "standing": _standing(line),
                "words": "" if _was_left_open(line) else words.sentence(line),
            }
            for line in explanation.lines
        ],
    }


def _was_left_open(line: matching.Line) -> bool:
    return line.standing is matching.Standing.not_asked


def _standing(line: matching.Line) -> str:
    return "left open" if _was_left_open(line) else STANDING_LABELS[line.standing]


def _weights(session: Session, version: int) -> matching.Weights:
    kept = session.scalars(
        sa.select(WeightsVersion).where(WeightsVersion.version == version)
    ).first()
    if kept is None:
        return matching.DEFAULT_WEIGHTS
    return matching.Weights.from_mapping(kept.version, kept.weights)


def _names(session: Session, public_ids: list[str]) -> dict[str, str]:
    """The names by which these therapists present themselves."""
    wanted = sa.select(Therapist.public_id, Therapist.name).where(
        Therapist.public_id.in_([uuid.UUID(one) for one in public_ids])
    )
    return {str(public_id): name for public_id, name in session.execute(wanted)}


def _waiting(session: Session, client: Client) -> list[Values]:
    """Each time on the waiting list, with what was worked out and what became of it."""
    placements = _theirs(session, Placement, client)
    known = {each for one in placements for each, _ in one.candidates}
    names = _names(session, sorted(known))
    return [
        {
            "joined_at": _iso(entry.joined_at),
            "left_at": _iso(entry.left_at),
            "ending": entry.ending.value if entry.ending else None,
            "placements": [_placement(one, names) for one in placements if one.entry is entry],
        }
        for entry in _theirs(session, WaitingEntry, client)
    ]


def _placement(placement: Placement, names: Mapping[str, str]) -> Values:
    found = placement.found
    return {
        "made_at": _iso(placement.run.made_at),
        "severity": found["severity"],
        "days": found["days"],
        "state": placement.state.value,
        "therapist": names.get(placement.proposed or ""),
        "fitting": [
            {"therapist": names.get(each, ""), "points": points}
            for each, points in placement.candidates
        ],
        "decided_at": _iso(placement.decided_at),
        "kept_until": _iso(placement.due_at),
        "ended_at": _iso(placement.ended_at),
    }


def _requests(session: Session, client: Client) -> list[Values]:
    return [
        {
            "therapist": one.therapist.name,
            "sent_at": _iso(one.sent_at),
            "answered_at": _iso(one.answered_at),
            "state": one.state.value,
            "place": one.place,
            "service": one.service,
            "shared": one.shared,
            "shared_in_words": {item.label: item.lines for item in in_lines(one.shared)},
            "reply": one.reply,
        }
        for one in _theirs(session, MatchRequest, client)
    ]


def _care(session: Session, client: Client) -> list[Values]:
    return [
        {
            "therapist": one.therapist.name,
            "service": one.service,
            "place": one.place,
            "began_at": _iso(one.opened_at),
            "ended_at": _iso(one.ended_at),
            "ended_because": one.ended_because,
            "closing_notes": [
                {"written_at": _iso(note.written_at)}
                for note in _all(session, ClosingNote, ClosingNote.episode_id == one.id)
            ],
        }
        for one in _theirs(session, Episode, client)
    ]


def _appointments(session: Session, client: Client) -> list[Values]:
    return [
        {
            "therapist": one.therapist.name,
            "starts_at": _iso(one.starts_at),
            "ends_at": _iso(one.ends_at),
            "zone": one.zone,
            "format": one.format,
            "where": one.where,
            "state": one.state.value,
            "booked_at": _iso(one.booked_at),
            "cancelled_at": _iso(one.cancelled_at),
        }
        for one in _theirs(session, Appointment, client)
    ]


def _groups(session: Session, client: Client) -> list[Values]:
    return [
        {
            "group": one.group.title,
            "state": one.state.value,
            "name_there": one.handle,
            "place": one.place,
            "why": one.why,
            "price": one.price,
            "asked_at": _iso(one.created_at),
            "seated_at": _iso(one.seated_at),
            "left_at": _iso(one.left_at),
            "invited": one.screening.invited if one.screening else None,
        }
        for one in _theirs(session, Enrolment, client)
    ]


def _payments(session: Session, client: Client) -> list[Values]:
    return [_payment(line.order) for line in payment_lines(session, client)]


def _payment(order: Any) -> Values:
    charge = order.charge
    return {
        "number": str(order.public_id),
        "amount": order.amount,
        "currency": order.currency,
        "for": order.description,
        "state": order.state.value,
        "asked_at": _iso(order.created_at),
        "paid_at": _iso(charge.captured_at) if charge else None,
        "given_back": [
            {
                "amount": one.amount,
                "state": one.state.value,
                "asked_at": _iso(one.requested_at),
                "done_at": _iso(one.done_at),
            }
            for one in (charge.refunds if charge else ())
        ],
    }


def _consents(session: Session, client: Client) -> list[Values]:
    return [_consent(one) for one in signatures_of(session, client)]


def _consent(signature: Signature) -> Values:
    taken_back = signature.revocation
    return {
        "purpose": PURPOSES[signature.purpose].label,
        "title": signature.document.title,
        "document_version": signature.document.version,
        "text_hash": signature.document.text_hash,
        "with": signature.scope_label,
        "signed_at": _iso(signature.signed_at),
        "place": signature.place,
        "evidence": signature.evidence,
        "taken_back_at": _iso(taken_back.revoked_at) if taken_back else None,
        "effect": taken_back.effect if taken_back else "",
        "file": consent_file(signature),
    }


def signatures_of(session: Session, client: Client) -> list[Signature]:
    return _theirs(session, Signature, client)


def consent_file(signature: Signature) -> str:
    """Where its verifiable copy is inside the archive."""
    return f"consents/{signature.signed_at:%Y-%m-%d}-{signature.public_id}.html"


def _openings(client: Client) -> list[Values]:
    return [
        {
            "at": _iso(one.at),
            "who": one.who_label,
            "role": one.role_label,
            "what": one.what_label,
            "why": one.reason_label,
        }
        for one in openings_of(client)
    ]


def _own_acts(session: Session, client: Client) -> list[Values]:
    return [{"at": _iso(one.at), "what": one.what} for one in own_acts(session, client, most=None)]


def _holdings() -> list[Values]:
    return [
        {
            "kind": one.heading,
            "what": one.what,
            "why": one.why,
            "rests_on": one.rests_on,
            "who_sees_it": one.who,
            "kept": one.keeps,
            "when_forgotten": one.after,
        }
        for one in HOLDINGS
    ]


SECTIONS: dict[str, Callable[[Session, Client], Any]] = {
    "account": _account,
    "person": lambda _session, client: _person(client),
    "answers": _answers,
    "scores": _scores,
    "safety": _safety,
    "matches": _matches,
    "waiting": _waiting,
    "requests": _requests,
    "care": _care,
    "appointments": _appointments,
    "groups": _groups,
    "payments": _payments,
    "consents": _consents,
    "openings": lambda _session, client: _openings(client),
    "own_acts": _own_acts,
    "holdings": lambda _session, _client: _holdings(),
}


def _theirs(session: Session, table: Any, client: Client) -> list[Any]:
    return _all(session, table, table.client_id == client.id)


def _all(session: Session, table: Any, where: sa.ColumnElement[bool]) -> list[Any]:
    return list(session.scalars(sa.select(table).where(where).order_by(table.id)))


def _iso(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None
