"""Merkle trees give the roots and paths of Certificate Transparency's own test data."""

import hashlib

import pytest

from citycard.ledger.merkle import MerkleTree, inclusion_path, leaf_hash, path_root

# From the reference tests of Certificate Transparency (merkle_tree_test.cc): eight leaves, the root of the
# first n of them, and paths in the tree of eight and of smaller ones.
LEAVES = [
    bytes.fromhex(text)
    for text in (
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
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PATHS = [
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]


def test_the_root_of_no_leaves_is_the_hash_of_nothing():
    assert MerkleTree().root() == hashlib.sha256(b"").digest()


def test_roots_are_those_of_the_reference():
    hashes = [leaf_hash(leaf) for leaf in LEAVES]
    assert [MerkleTree(hashes[: size + 1]).root().hex() for size in range(8)] == ROOTS


@pytest.mark.parametrize(("index", "size", "path"), PATHS)
def test_paths_are_those_of_the_reference(index, size, path):
    hashes = [leaf_hash(leaf) for leaf in LEAVES[:size]]
    assert [one.hex() for one in inclusion_path(hashes, index)] == path


def test_every_path_leads_to_the_root_and_from_its_own_leaf_only():
    for size in range(1, 40):
        hashes = [leaf_hash(bytes([place])) for place in range(size)]
        root = MerkleTree(hashes).root()
        for index in range(size):
            path = inclusion_path(hashes, index)
            assert path_root(hashes[index], index, size, path) == root
            assert path_root(leaf_hash(b"another"), index, size, path) != root


def test_a_leaf_cannot_pass_for_a_node():
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(left + right) != MerkleTree([left, right]).root()


@pytest.mark.parametrize(
    ("index", "size", "path", "said"),
    [
        (3, 3, [], "no leaf 3"),
        (0, 2, [], "too short"),
        (0, 1, [bytes(32)], "too long"),
    ],
)
def test_a_path_of_another_shape_is_refused(index, size, path, said):
    with pytest.raises(ValueError, match=said):
        path_root(bytes(32), index, size, path)
