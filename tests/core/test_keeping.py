"""The keys that wrap all others: made once, found again, several at once."""

import base64
import os
import threading
from dataclasses import replace

import pytest

from core import keeping
from core.config import BadSetting, settings_from
from core.keeping import KeptElsewhere, MissingKey, keeper_for
from core.sealing import Unreadable

ROW = b"where the data key belongs"
DATA_KEY = bytes(range(32))


def word(kind, fill):
    return f"{kind}:{base64.b64encode(bytes([fill]) * 32).decode()}"


@pytest.fixture
def fresh(settings, tmp_path):
    return replace(settings, data_dir=tmp_path)


def test_keys_are_made_once_and_are_their_owners_alone(fresh):
    first, again = keeper_for(fresh), keeper_for(fresh)
    assert first.current() == again.current()
    assert first.derived("x") == again.derived("x")
    folder = fresh.data_dir / "keys"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.name for path in folder.iterdir()} == {"root.key", "0001.key"}
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.iterdir())


def test_what_a_killed_first_start_left_is_gone_on_from(fresh):
    keeper_for(fresh)
    (fresh.data_dir / "keys" / "0001.key").unlink()
    root = (fresh.data_dir / "keys" / "root.key").read_bytes()
    assert keeper_for(fresh).current()
    assert (fresh.data_dir / "keys" / "root.key").read_bytes() == root


def test_a_root_that_is_missing_beside_its_keys_is_never_made_up(fresh):
    """With another root nobody's address would be found again, and no export be told apart."""
    keeper_for(fresh)
    (fresh.data_dir / "keys" / "root.key").unlink()
    with pytest.raises(BadSetting, match=r"root\.key"):
        keeper_for(fresh)
    assert not (fresh.data_dir / "keys" / "root.key").exists()


def test_a_first_key_that_was_put_away_is_not_made_anew(fresh):
    current = keeper_for(fresh).add()
    (fresh.data_dir / "keys" / "0001.key").unlink()
    assert keeper_for(fresh).current() == current
    assert not (fresh.data_dir / "keys" / "0001.key").exists()


def test_processes_that_start_at_once_share_their_keys(fresh):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(keeper_for(fresh).current()))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 12
    assert len(set(found)) == 1


def test_a_wrapped_key_comes_back_only_where_it_belongs(fresh):
    keeper = keeper_for(fresh)
    kek, wrapped = keeper.wrap(DATA_KEY, ROW)
    assert DATA_KEY not in wrapped
    assert keeper.unwrap(kek, wrapped, ROW) == DATA_KEY
    with pytest.raises(Unreadable):
        keeper.unwrap(kek, wrapped, b"another row")
    with pytest.raises(Unreadable):
        keeper.unwrap(kek, wrapped[:-1] + bytes([wrapped[-1] ^ 1]), ROW)


def test_a_new_key_is_current_and_the_one_before_still_unwraps(fresh):
    keeper = keeper_for(fresh)
    old, wrapped = keeper.wrap(DATA_KEY, ROW)
    new = keeper.add()
    assert keeper.current() == new != old
    assert keeper.wrap(DATA_KEY, ROW)[0] == new
    assert keeper.unwrap(old, wrapped, ROW) == DATA_KEY


def test_a_running_process_learns_of_a_key_that_another_has_made(fresh):
    running, other = keeper_for(fresh), keeper_for(fresh)
    other.add()
    kek, wrapped = other.wrap(DATA_KEY, ROW)
    assert running.unwrap(kek, wrapped, ROW) == DATA_KEY
    assert running.current() == kek


def test_a_key_that_is_not_here_is_named(fresh, tmp_path):
    kek, wrapped = keeper_for(fresh).wrap(DATA_KEY, ROW)
    elsewhere = keeper_for(replace(fresh, data_dir=tmp_path / "elsewhere"))
    with pytest.raises(MissingKey, match=kek):
        elsewhere.unwrap(kek, wrapped, ROW)


def test_derived_keys_are_one_for_each_purpose_and_outlive_a_new_key(fresh):
    keeper = keeper_for(fresh)
    before = keeper.derived("a")
    assert len(before) == 32
    assert keeper.derived("b") != before
    keeper.add()
    assert keeper_for(fresh).derived("a") == before


def test_keys_can_be_handed_in_by_a_file(fresh, tmp_path):
    path = tmp_path / "handed"
    path.write_text("\n".join((word("root", 1), word("key", 2), word("key", 3))))
    path.chmod(0o400)
    given = replace(fresh, key_file=str(path))
    keeper = keeper_for(given)
    assert keeper.current() == keeping.fingerprint(bytes([3]) * 32)
    assert not (fresh.data_dir / "keys").exists()
    with pytest.raises(KeptElsewhere):
        keeper.add()
    path.chmod(0o600)
    path.write_text(path.read_text() + "\n" + word("key", 4))
    assert keeper.current() == keeping.fingerprint(bytes([4]) * 32)


def test_keys_can_be_handed_in_by_the_environment(tmp_path):
    keys = f"{word('root', 1)},{word('key', 2)}"
    settings = settings_from({"DATA_DIR": str(tmp_path), "ENCRYPTION_KEYS": keys})
    assert keeper_for(settings).current() == keeping.fingerprint(bytes([2]) * 32)
    assert keys not in repr(settings)


@pytest.mark.parametrize(
    "text",
    ["", "key", word("key", 1), word("root", 1), "root:x key:y", "root:AAAA key:AAAA",
     f"{word('root', 1)} {word('key', 2)} {word('spare', 3)}",
     f"{word('root', 1)} {word('root', 2)} {word('key', 3)}"],
)  # fmt: skip
def test_keys_that_cannot_be_used_are_refused_without_repeating_them(text):
    with pytest.raises(BadSetting, match="KEY_FILE") as refusal:
        keeping.parse(text, "KEY_FILE")
    assert len(text) < 8 or text not in str(refusal.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644, 0o666])
def test_keys_that_others_may_read_are_refused_in_one_line(fresh, tmp_path, mode):
    path = tmp_path / "handed"
    path.write_text(f"{word('root', 1)} {word('key', 2)}")
    path.chmod(mode)
    with pytest.raises(BadSetting, match=f"KEY_FILE {path} .*chmod 600") as refusal:
        keeper_for(replace(fresh, key_file=str(path)))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", ["root.key", "0001.key", "0002.key"])
def test_of_our_own_keys_each_one_must_be_its_owners_alone(fresh, name):
    keeper_for(fresh).add()
    path = fresh.data_dir / "keys" / name
    path.chmod(0o640)
    with pytest.raises(BadSetting, match=rf"{name} .*chmod 600"):
        keeper_for(fresh)
    path.chmod(0o600)
    assert keeper_for(fresh).current()


def test_a_file_that_is_not_there_is_never_made(fresh, tmp_path):
    with pytest.raises(BadSetting, match="KEY_FILE"):
        keeper_for(replace(fresh, key_file=str(tmp_path / "nowhere")))
    assert not os.path.exists(tmp_path / "nowhere")
