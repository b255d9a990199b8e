import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import merkle

# The leaves and hashes of the test vectors that Certificate Transparency's logs share.
LEAVES = [
    merkle.leaf_hash(bytes.fromhex(data))
    for data in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
LEFT_HALF = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
LAST_PAIR = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
FIFTH = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
THIRD_PAIR = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"

sizes = st.integers(1, 70)


def made(size):
    return [merkle.leaf_hash(n.to_bytes(4, "big")) for n in range(size)]


def naive_root(leaves):
    """RFC 6962, 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def flipped(data, bit):
    changed = bytearray(data)
    changed[bit // 8 % len(data)] ^= 1 << bit % 8
    return bytes(changed)


@pytest.mark.parametrize(("size", "root"), list(enumerate(ROOTS, start=1)))
def test_the_published_roots_come_out(size, root):
    assert merkle.root_of(LEAVES[:size]).hex() == root


def test_the_published_proofs_come_out():
    nodes = merkle.nodes_of(LEAVES)
    inclusion = [step.hex() for step in merkle.inclusion_proof(nodes, 5, 8)]
    assert inclusion == [FIFTH, LAST_PAIR, LEFT_HALF]
    consistency = [step.hex() for step in merkle.consistency_proof(nodes, 6, 8)]
    assert consistency == [THIRD_PAIR, LAST_PAIR, LEFT_HALF]


def test_an_empty_tree_has_the_hash_of_nothing():
    assert merkle.root_of([]) == naive_root([])


@given(sizes)
def test_leaves_appended_one_by_one_give_the_root_of_the_recursion(size):
    assert merkle.root_of(made(size)) == naive_root(made(size))


@given(sizes, st.data())
def test_a_tree_can_be_gone_on_with_from_its_frontier_alone(size, data):
    leaves, kept = made(size), data.draw(st.integers(0, size))
    frontier = merkle.Frontier.of(merkle.nodes_of(leaves[:kept]), kept)
    for leaf in leaves[kept:]:
        frontier.append(leaf)
    assert frontier.root() == naive_root(leaves)


def test_appending_hashes_no_more_than_once_a_leaf_on_average():
    frontier = merkle.Frontier()
    nodes = [node for leaf in made(1024) for node in frontier.append(leaf)]
    assert len(nodes) == 2 * 1024 - 1
    assert len({(level, position) for level, position, _ in nodes}) == len(nodes)


@given(sizes, st.data())
def test_an_inclusion_proof_holds_for_its_leaf_and_place_alone(size, data):
    leaves, index = made(size), data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(merkle.nodes_of(leaves), index, size)
    root = naive_root(leaves)
    assert merkle.includes(root, size, index, leaves[index], proof)
    others = [other for other in range(-1, size + 1) if other != index]
    assert not any(merkle.includes(root, size, other, leaves[index], proof) for other in others)
    assert not merkle.includes(root, size, index, flipped(leaves[index], 7), proof)
    assert not merkle.includes(root, size, index, leaves[index], [*proof, root])


@given(st.integers(2, 70), st.data())
def test_a_changed_or_shortened_inclusion_proof_fails(size, data):
    leaves, index = made(size), data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(merkle.nodes_of(leaves), index, size)
    step, bit = data.draw(st.integers(0, len(proof) - 1)), data.draw(st.integers(0, 255))
    changed = [*proof[:step], flipped(proof[step], bit), *proof[step + 1 :]]
    root = naive_root(leaves)
    assert not merkle.includes(root, size, index, leaves[index], changed)
    assert not merkle.includes(root, size, index, leaves[index], proof[:-1])


@given(sizes, st.data())
def test_a_consistency_proof_holds_between_a_tree_and_its_beginning(size, data):
    leaves, old = made(size), data.draw(st.integers(1, size))
    proof = merkle.consistency_proof(merkle.nodes_of(leaves), old, size)
    was, becomes = naive_root(leaves[:old]), naive_root(leaves)
    assert merkle.goes_on_from(was, old, becomes, size, proof)
    assert not merkle.goes_on_from(flipped(was, 3), old, becomes, size, proof)
    assert not merkle.goes_on_from(was, old, flipped(becomes, 3), size, proof)
    assert not merkle.goes_on_from(was, old, becomes, size, [*proof, was])


@given(st.integers(2, 70), st.data())
def test_a_tree_that_was_rewritten_has_no_consistency_proof(size, data):
    leaves, old = made(size), data.draw(st.integers(1, size - 1))
    was = naive_root(leaves[:old])
    rewritten = list(leaves)
    place = data.draw(st.integers(0, old - 1))
    rewritten[place] = flipped(rewritten[place], data.draw(st.integers(0, 255)))
    proof = merkle.consistency_proof(merkle.nodes_of(rewritten), old, size)
    assert not merkle.goes_on_from(was, old, naive_root(rewritten), size, proof)


def test_every_small_tree_goes_on_from_every_smaller_one():
    for new in range(1, 33):
        nodes, roots = merkle.nodes_of(made(new)), [naive_root(made(n)) for n in range(new + 1)]
        for old in range(1, new + 1):
            proof = merkle.consistency_proof(nodes, old, new)
            assert merkle.goes_on_from(roots[old], old, roots[new], new, proof)
            assert merkle.root_at(nodes, old) == roots[old]


def test_sizes_that_cannot_be_are_refused():
    nodes = merkle.nodes_of(made(4))
    for index in (-1, 4):
        with pytest.raises(ValueError, match="no leaf"):
            merkle.inclusion_proof(nodes, index, 4)
    for old in (0, 5):
        with pytest.raises(ValueError, match="does not go on"):
            merkle.consistency_proof(nodes, old, 4)
    assert not merkle.goes_on_from(ROOTS[0], 5, ROOTS[0], 4, [])
    with pytest.raises(ValueError, match="peaks"):
        merkle.Frontier(3, [b""])
