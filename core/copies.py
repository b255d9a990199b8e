"""The signed copy of a consent: one file to read and to check, with nothing but the file and a key.

The readable page is made from the data it carries, and from nothing else, so whoever checks it
makes it again: a page with one changed character is not the page of its data. The data is the
text, how it was signed, the sealed acts with their proofs, and the signed checkpoint.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from html import escape, unescape
from typing import Any

from core.canonical import canonical, commitment, digest, parsed

FORMAT = "attune-consent"
VERSION = 1
SIGNED = frozenset({"consent.signed", "consent.witnessed"})
REVOKED = frozenset({"consent.revoked", "consent.revocation_witnessed"})
MEMBERS = frozenset("acts checkpoint facts format public text version".split())
FACTS = (
    ("title", "Document"),
    ("purpose", "What for"),
    ("document_version", "Version"),
    ("language", "Language"),
    ("jurisdiction", "Written for"),
    ("scope_label", "With"),
    ("typed_name", "Signed by"),
    ("capacity", "Signed as"),
    ("signed_at", "Signed"),
    ("words", "What was ticked"),
    ("place", "Where they were"),
    ("text_hash", "Fingerprint of the text (SHA-256)"),
)

Copy = dict[str, Any]


class Disagreement(Exception):
    """Two things in a copy do not fit; the message says which."""


def made(
    text: str,
    facts: Mapping[str, Any],
    acts: list[dict[str, Any]],
    checkpoint: Mapping[str, Any],
    public: bytes,
) -> Copy:
    """The data of a copy. Each act: {"details", "entry", "proof", "salt"}."""
    return {
        "acts": acts,
        "checkpoint": dict(checkpoint),
        "facts": dict(facts),
        "format": FORMAT,
        "public": public.hex(),
        "text": text,
        "version": VERSION,
    }


def read(data: bytes) -> Copy:
    """The data of a copy, from the page or the bare JSON; raises Disagreement or ValueError."""
    page = _data_in(data) if data.startswith(b"<") else None
    copy: Copy = parsed(page or data)
    if copy.keys() != MEMBERS or (copy["format"], copy["version"]) != (FORMAT, VERSION):
        raise ValueError("not a copy of a consent")
    if page is not None and readable(copy).encode() != data:
        raise Disagreement("the page does not show exactly what its data says")
    return copy


def require_agreement(copy: Copy) -> None:
    """Raise Disagreement unless text, facts and acts belong together."""
    facts, acts = copy["facts"], copy["acts"]
    if hashlib.sha256(copy["text"].encode()).hexdigest() != facts["text_hash"]:
        raise Disagreement("the text is not the text that was signed")
    if not acts or acts[0]["entry"]["action"] not in SIGNED:
        raise Disagreement("it holds no act of signing")
    if len(acts) > 2 or not {act["entry"]["action"] for act in acts[1:]} <= REVOKED:
        raise Disagreement("after the signing it may hold nothing but the taking back")
    for act in acts:
        _require_act_of(facts, act)


def _require_act_of(facts: Mapping[str, Any], act: Mapping[str, Any]) -> None:
    entry, details = act["entry"], act["details"]
    if act.keys() != {"details", "entry", "proof", "salt"}:
        raise ValueError("not an act of a copy")
    if (
        commitment(act["salt"], details) != entry["details"]
        or bytes.fromhex(act["salt"]).hex() != act["salt"]
    ):
        raise Disagreement("the details of an act are not those that were sealed")
    if details["text_hash"] != facts["text_hash"]:
        raise Disagreement("an act is about another text")
    if details["evidence"] != digest(facts):
        raise Disagreement("how it was signed is not what was sealed")


def readable(copy: Copy) -> str:
    """The page of a copy: the same characters for the same data, wherever it is made."""
    title = escape(copy["facts"]["title"])
    return "\n".join(
        (
            "<!doctype html>",
            f'<html lang="{escape(copy["facts"]["language"])}">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title>",
            "</head>",
            "<body>",
            "<main>",
            f"<h1>{title}</h1>",
            *(f"<p>{escape(sentence)}</p>" for sentence in _standing(copy)),
            "<dl>",
            *(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in _facts(copy)),
            "</dl>",
            "<hr>",
            *_text_as_html(copy["text"]),
            "<hr>",
            "<h2>How to check this copy</h2>",
            *(f"<p>{escape(sentence)}</p>" for sentence in CHECKING),
            "<details>",
            "<summary>What a program reads</summary>",
            f'<pre id="proof">{escape(canonical(copy).decode())}</pre>',
            "</details>",
            "</main>",
            "</body>",
            "</html>",
            "",
        )
    )


CHECKING = (
    "Keep this file as it is. With Attune's program on any computer, also one without a network, "
    "run: python -m core.verifying THIS-FILE --key PUBLISHED-KEY",
    "The published key stands at /.well-known/attune-ledger-key of the clinic's address. If one "
    "character of this file was changed, the program says so.",
    "It shows that these words were agreed to in this way, and that the clinic wrote it into its "
    "ledger then. Whether it still holds today, the clinic's pages say.",
)


def _data_in(page: bytes) -> bytes:
    """What the page carries for programs; raises ValueError where it carries nothing."""
    found = re.search(r'<pre id="proof">([^<]*)</pre>', page.decode())
    if found is None:
        raise ValueError("the page carries no data")
    return unescape(found[1]).encode()


def _standing(copy: Copy) -> Iterator[str]:
    entry = copy["acts"][0]["entry"]
    yield f"Signed on {_moment(copy['facts']['signed_at'])}."
    for act in copy["acts"][1:]:
        yield f"Taken back on {_moment(act['details']['revoked_at'])}."
    if entry["action"] != "consent.signed":
        on_file = _moment(entry["at"])
        yield f"The clinic kept no ledger yet then; it took this in as it was on file on {on_file}."
    sealed = _moment(copy["checkpoint"]["at"])
    yield f"Act {entry['seq']} in the clinic's ledger, sealed by {sealed}."


def _facts(copy: Copy) -> Iterator[tuple[str, str]]:
    for name, label in FACTS:
        value = copy["facts"][name]
        if value not in ("", None):
            yield label, _moment(value) if name == "signed_at" else str(value).replace("_", " ")


def _moment(instant: str) -> str:
    """ "2026-12-01T18:00:00.000000Z" → "1 December 2026, 18:00:00 UTC"."""
    at = datetime.strptime(instant, "%Y-%m-%dT%H:%M:%S.%fZ")  # noqa: DTZ007
    month = MONTHS[at.month - 1]
    return f"{at.day} {month} {at.year}, {at.hour:02}:{at.minute:02}:{at.second:02} UTC"


MONTHS = (
    "January February March April May June July August September October November December"
).split()


def _text_as_html(text: str) -> Iterator[str]:
    """A little Markdown: headings, lists and paragraphs; the rest stands as it was written."""
    for block in re.split(r"\n{2,}", text.strip()):
        lines = block.splitlines()
        if heading := re.fullmatch(r"(#{1,6}) +(.*)", block):
            level = max(2, min(len(heading[1]), 6))
            yield f"<h{level}>{_inline(heading[2])}</h{level}>"
        elif all(re.match(r"[-*] ", line) for line in lines):
            yield "<ul>"
            yield from (f"<li>{_inline(line[2:])}</li>" for line in lines)
            yield "</ul>"
        else:
            yield f"<p>{'<br>'.join(_inline(line) for line in lines)}</p>"


def _inline(line: str) -> str:
    strong = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", escape(line))
    return re.sub(r"\*([^*]+)\*", r"<em>\1</em>", strong)
