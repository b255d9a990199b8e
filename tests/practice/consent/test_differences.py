from hypothesis import given
from hypothesis import strategies as st

from practice.consent.differences import Change, differences

lines = st.lists(st.sampled_from(["a", "b", "c", "", "d e", "d f"]), max_size=12)


def shown(before, after):
    return [(line.change.value, line.text) for line in differences(before, after)]


def test_what_went_and_what_came_is_named():
    assert shown("one\ntwo\nthree", "one\n2\nthree") == [
        ("same", "one"),
        ("removed", "two"),
        ("added", "2"),
        ("same", "three"),
    ]


def test_inside_a_line_only_the_words_that_changed_are_marked():
    removed, added = differences(
        "Try for five minutes, then call.", "Try for ten minutes, then call."
    )
    assert [piece.text for piece in removed.pieces if piece.is_changed] == ["five"]
    assert [piece.text for piece in added.pieces if piece.is_changed] == ["ten"]
    assert added.text == "Try for ten minutes, then call."


def test_a_line_that_is_new_is_marked_as_a_whole():
    added = next(line for line in differences("a", "a\nb c") if line.change is Change.added)
    assert [(piece.text, piece.is_changed) for piece in added.pieces] == [("b c", True)]


def test_long_stretches_that_stayed_are_left_out():
    before = "\n".join(str(n) for n in range(50))
    changes = shown(before, before.replace("25", "25 and a half"))
    assert changes.count(("left out", "23 lines as before")) == 1
    assert changes.count(("left out", "22 lines as before")) == 1
    assert len(changes) == 8


def test_the_same_text_has_no_changes():
    assert shown("a\nb\nc", "a\nb\nc") == [("left out", "3 lines as before")]


@given(lines, lines)
def test_what_came_stands_in_the_new_text_and_what_went_in_the_old(before, after):
    old, new = "\n".join(before), "\n".join(after)
    changes = differences(old, new)
    removed = [line.text for line in changes if line.change is Change.removed]
    added = [line.text for line in changes if line.change is Change.added]
    assert len(old.splitlines()) - len(removed) == len(new.splitlines()) - len(added)
    assert set(removed) <= set(old.splitlines())
    assert set(added) <= set(new.splitlines())
