"""What an outsider finds in an export, with nothing but the file and the published key."""

import json
import random
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from core.blanking import blank
from core.canonical import (
    CHAIN_START,
    canonical,
    chained,
    checkpoint_statement,
    key_id,
    key_statement,
    sealed_leaf,
)
from core.database import unit_of_work
from core.ledger import seal_now
from core.merkle import root_of
from core.verifying import Broken, Unreadable, checkpoint_of, main, public_keys, report
from tests.builders.ledger import exported, make_act, public_key, seal_acts, verified
from tests.conftest import NOW

ROOT = Path(__file__).parents[2]
TAMPERINGS = 1000


@pytest.fixture
def export(session):
    """An export of 42 acts, three of them blanked, and the key that it is signed with."""
    entries = seal_acts(session, 40)
    with unit_of_work() as writing:
        blank(writing, [entry.client_id for entry in entries[5:8]], at=NOW)
    seal_now(NOW)
    session.rollback()
    return exported(session), public_key(session)


def test_an_untouched_export_holds(export):
    data, key = export
    result = verified(data, key)
    assert (result.checkpoint.size, result.is_key_given) == (42, True)
    assert not verified(data).is_key_given


def test_a_thousand_random_tamperings_are_all_found(export):
    data, key = export
    missed, found = [], Counter()
    for seed in range(TAMPERINGS):
        chance = random.Random(seed)
        kind = KINDS[seed % len(KINDS)]
        tampered = kind(data, chance)
        assert tampered != data, (kind.__name__, seed)
        try:
            verified(tampered, key)
            missed.append((kind.__name__, seed))
        except (Broken, Unreadable):
            found[kind.__name__] += 1
    assert missed == []
    assert found.total() == TAMPERINGS
    assert len(found) == len(KINDS)


def edited(data, chance):
    """Another value in one member of one act, written as canonically as before."""
    lines = data.splitlines(keepends=True)
    number = chance.randrange(1, len(lines))
    lines[number] = line_of(edited_act(lines[number], chance))
    return b"".join(lines)


def deleted(data, chance):
    lines = data.splitlines(keepends=True)
    del lines[chance.randrange(len(lines))]
    return b"".join(lines)


def swapped(data, chance):
    lines = data.splitlines(keepends=True)
    one, other = chance.sample(range(len(lines)), 2)
    lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


def copied(data, chance):
    lines = data.splitlines(keepends=True)
    lines.insert(chance.randrange(len(lines) + 1), chance.choice(lines))
    return b"".join(lines)


def overwritten(data, chance):
    """One act in the place of another."""
    lines = data.splitlines(keepends=True)
    one, other = chance.sample(range(1, len(lines)), 2)
    lines[one] = lines[other]
    return b"".join(lines)


def truncated(data, chance):
    return data[: chance.randrange(len(data))]


def truncated_after_a_line(data, chance):
    lines = data.splitlines(keepends=True)
    return b"".join(lines[: chance.randrange(1, len(lines))])


def shuffled(data, chance):
    first, *lines = data.splitlines(keepends=True)
    chance.shuffle(lines)
    return b"".join([first, *lines])


def flipped_bit(data, chance):
    place, changed = chance.randrange(len(data)), bytearray(data)
    changed[place] ^= 1 << chance.randrange(8)
    return bytes(changed)


def other_byte(data, chance):
    place, changed = chance.randrange(len(data)), bytearray(data)
    changed[place] = (changed[place] + chance.randrange(1, 256)) % 256
    return bytes(changed)


def blank_added(data, chance):
    """White space that a parser of JSON would not mind."""
    place = chance.choice([n for n, byte in enumerate(data) if byte in b",:{}\n"])
    return data[:place] + chance.choice((b" ", b"\n", b"\t", b"\r")) + data[place:]


def member_added(data, chance):
    lines = data.splitlines(keepends=True)
    number = chance.randrange(len(lines))
    given = json.loads(lines[number])
    given["x"] = 1
    lines[number] = line_of(given)
    return b"".join(lines)


def capital_hex(data, chance):
    lines = data.splitlines(keepends=True)
    number = chance.randrange(len(lines))
    given = json.loads(lines[number])
    if number:
        given["chain"] = given["chain"].upper()
    else:
        given["checkpoint"]["signature"] = given["checkpoint"]["signature"].upper()
    lines[number] = line_of(given)
    return b"".join(lines)


def resized(data, chance):
    """A shorter ledger whose opening was changed to fit, without the signing key."""
    kept = data.splitlines()[: chance.randrange(2, 42)]
    return rebuilt([json.loads(line)["entry"] for line in kept[1:]], opening_of(data))


def rechained(data, chance):
    """An act changed, and everything after it computed anew; only the signature cannot be."""
    return rebuilt(changed_acts(data, chance), opening_of(data))


def rechained_and_signed_with_another_key(data, chance):
    another, opening = Ed25519PrivateKey.generate(), opening_of(data)
    if chance.random() < 0.5:
        opening["key"] = key_id(another.public_key().public_bytes_raw())
    return rebuilt(changed_acts(data, chance), opening, another)


def founded_anew_on_another_key(data, chance):
    """A whole ledger of somebody else's: their key announced in it, their signature on it."""
    another, opening = Ed25519PrivateKey.generate(), opening_of(data)
    public, acts = another.public_key().public_bytes_raw(), changed_acts(data, chance)
    announced = key_id(public)
    acts[0]["facts"] = {
        "key": announced,
        "public": public.hex(),
        "signature": another.sign(key_statement(public)).hex(),
        "signed_by": announced,
    }
    return rebuilt(acts, opening | {"key": announced}, another)


def opened_with_another_signature(data, chance):
    lines, another = data.splitlines(keepends=True), Ed25519PrivateKey.generate()
    opening = opening_of(data)
    opening["signature"] = another.sign(checkpoint_statement(opening)).hex()
    lines[0] = opening_line(opening)
    return b"".join(lines)


def dated_otherwise(data, chance):
    lines, opening = data.splitlines(keepends=True), opening_of(data)
    opening["at"] = f"2026-12-0{chance.randrange(2, 9)}T18:00:00.{chance.randrange(10**6):06}Z"
    lines[0] = opening_line(opening)
    return b"".join(lines)


KINDS = (
    edited,
    deleted,
    swapped,
    copied,
    overwritten,
    truncated,
    truncated_after_a_line,
    shuffled,
    flipped_bit,
    other_byte,
    blank_added,
    member_added,
    capital_hex,
    resized,
    rechained,
    rechained_and_signed_with_another_key,
    founded_anew_on_another_key,
    opened_with_another_signature,
    dated_otherwise,
)


def line_of(given):
    return canonical(given) + b"\n"


def opening_of(data):
    return json.loads(data.splitlines()[0])["checkpoint"]


def opening_line(checkpoint):
    return line_of({"checkpoint": checkpoint, "format": "attune-ledger", "version": 1})


def edited_act(line, chance):
    given = json.loads(line)
    act = given["entry"]
    name = chance.choice(sorted(act))
    act[name] = {
        "seq": lambda value: value + chance.choice((-1, 1)),
        "facts": lambda value: {**value, "version": chance.randrange(10**6)},
    }.get(name, lambda value: f"{value}{chance.randrange(10**6)}")(act[name])
    return given


def changed_acts(data, chance):
    lines = data.splitlines()
    acts = [json.loads(line)["entry"] for line in lines[1:]]
    act = chance.choice(acts[1:])
    act["action"] += f"_{chance.randrange(10**6)}"
    return acts


def rebuilt(acts, opening, signer=None):
    """A file that is right in everything but what needs the signing key."""
    chain, lines, leaves = CHAIN_START, [], []
    for number, act in enumerate(acts, start=1):
        leaves.append(sealed_leaf(act | {"seq": number}))
        chain = chained(chain, leaves[-1])
        lines.append(line_of({"chain": chain.hex(), "entry": act | {"seq": number}}))
    opening |= {"chain": chain.hex(), "root": root_of(leaves).hex(), "size": len(acts)}
    if signer:
        opening["signature"] = signer.sign(checkpoint_statement(opening)).hex()
    return b"".join([opening_line(opening), *lines])


def test_it_says_where_the_first_break_is(export):
    data, key = export
    lines = data.splitlines(keepends=True)
    changed = [*lines]
    changed[7] = changed[7].replace(b'"actor_role":"therapist"', b'"actor_role":"client"')
    with pytest.raises(Broken, match=r"^line 8: act 7 is not what was chained here"):
        verified(b"".join(changed), key)
    with pytest.raises(Broken, match=r"^line 5: act 4 should stand here, but it is act 5"):
        verified(b"".join(lines[:4] + lines[5:]), key)
    with pytest.raises(Broken, match=r"^line 30: the last 13 of 42 acts are missing"):
        verified(b"".join(lines[:30]), key)
    with pytest.raises(Broken, match=r"^line 44: the signed size is 42"):
        verified(data + lines[-1], key)


def test_an_older_export_must_be_the_beginning(export, session):
    older, key = export
    older_checkpoint = verified(older, key).checkpoint
    make_act(session)
    session.commit()
    seal_now(NOW)
    session.rollback()
    newer = exported(session)
    assert verified(newer, key, since=older_checkpoint).checkpoint.size == 43
    another_beginning = replace(older_checkpoint, root=older_checkpoint.chain)
    with pytest.raises(Broken, match="are not those of the older export"):
        verified(newer, key, since=another_beginning)
    with pytest.raises(Broken, match="only 42"):
        verified(older, key, since=verified(newer, key).checkpoint)


def test_a_history_rewritten_by_the_one_with_the_key_does_not_begin_with_the_old_one(export):
    older, key = export
    acts = changed_acts(older, random.Random(1))
    signer = Ed25519PrivateKey.generate()
    public = signer.public_key().public_bytes_raw()
    rewritten = rebuilt(acts, opening_of(older) | {"key": key_id(public)}, signer)
    assert verified(rewritten, public).checkpoint.size == 42
    with pytest.raises(Broken, match="are not those of the older export"):
        verified(rewritten, public, since=verified(older, key).checkpoint)


def test_without_a_given_key_it_says_whose_word_that_is(export, tmp_path):
    data, key = export
    file = tmp_path / "ledger.jsonl"
    file.write_bytes(data)
    assert "compare it with the one that the clinic publishes" in report(str(file))
    assert report(str(file), [key.hex()]).endswith("Signed with the given key.")


def test_a_key_is_read_in_every_form_it_is_published_in(export, tmp_path):
    _, key = export
    pem = Ed25519PublicKey.from_public_bytes(key).public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    forms = (f"{key.hex()}\n".encode(), pem, json.dumps({"keys": [{"public": key.hex()}]}).encode())
    for number, form in enumerate(forms):
        file = tmp_path / f"key{number}"
        file.write_bytes(form)
        assert public_keys(str(file)) == [key]
    assert public_keys(key.hex().upper()) == [key]


@pytest.mark.parametrize("given", ["", "nowhere", "ab" * 31, "{}"])
def test_what_is_no_key_is_refused(given, tmp_path):
    (tmp_path / "key").write_text(given)
    for one in (given, str(tmp_path / "key")):
        with pytest.raises(Unreadable):
            public_keys(one)


def test_a_key_of_another_kind_is_refused(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    pem = key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (tmp_path / "key.pem").write_bytes(pem)
    with pytest.raises(Unreadable):
        public_keys(str(tmp_path / "key.pem"))


@pytest.mark.parametrize("content", [b"", b"hello\n", b"{}\n", b"\x00\xff", b"[[[[" * 9000])
def test_another_file_is_unreadable_rather_than_broken(content, tmp_path, capsys):
    (tmp_path / "file").write_bytes(content)
    assert main([str(tmp_path / "file")]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)


def test_a_missing_file_is_one_line_and_two(tmp_path, capsys):
    assert main([str(tmp_path / "nothing")]) == 2
    assert capsys.readouterr().err.endswith("cannot be read: No such file or directory\n")


def test_a_deep_nest_or_a_huge_number_in_a_line_is_a_break(export):
    data, key = export
    lines = data.splitlines(keepends=True)
    for bad in (b"[" * 100_000, b"1" * 100_000, b'{"chain":NaN}', b'"\\ud800"'):
        with pytest.raises(Broken, match="line 3"):
            verified(b"".join([*lines[:2], bad + b"\n", *lines[3:]]), key)


def test_the_verifier_needs_neither_the_application_nor_a_database(export, tmp_path):
    """Run with everything but itself and `cryptography` refused."""
    data, key = export
    (tmp_path / "ledger.jsonl").write_bytes(data)
    script = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        ours = name.split(".")[0] in {"practice", "billing", "matching", "flask", "sqlalchemy"}
        if ours or name.startswith("core.") and name not in ALLOWED:
            raise ImportError(f"{name} must not be needed")
ALLOWED = {"core.canonical", "core.copies", "core.merkle", "core.verifying"}
sys.meta_path.insert(0, Refuse())
from core.verifying import main
sys.exit(main(sys.argv[1:]))
"""
    arguments = [str(tmp_path / "ledger.jsonl"), "--key", key.hex()]
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "42 acts" in done.stdout


def test_the_checkpoint_of_an_export_can_be_read_alone(export, tmp_path):
    data, _ = export
    (tmp_path / "ledger.jsonl").write_bytes(data)
    with (tmp_path / "ledger.jsonl").open("rb") as file:
        assert checkpoint_of(file).size == 42
    with pytest.raises(Unreadable), Path(__file__).open("rb") as file:
        checkpoint_of(file)


@pytest.mark.prove
def test_a_hundred_thousand_acts_are_verified_in_reasonable_time(tmp_path):
    import time

    signer = Ed25519PrivateKey.generate()
    public = signer.public_key().public_bytes_raw()
    act = {"action": "place.set", "facts": {}, "details": "0" * 64, "at": "2026", "id": "x"}
    opening = {"at": "2026-12-01T18:00:00.000000Z", "key": key_id(public)}
    data = rebuilt([dict(act) for _ in range(100_000)], opening, signer)
    began = time.perf_counter()
    assert verified(data, public).checkpoint.size == 100_000
    assert time.perf_counter() - began < 60
