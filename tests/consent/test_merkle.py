"""The tree against the definitions of RFC 9162, the signatures against the vectors of RFC 8032."""

import base64
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from consent import verifier
from consent.merkle import Frontier, Range, consistency_ranges, inclusion_ranges, leaf_hash, root_of
from consent.notes import Signer, checkpoint_text, public_key_line

SIZES = st.integers(min_value=1, max_value=70)


def leaves(size: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(size)]


def mth(hashes: list[bytes]) -> bytes:
    """RFC 9162, section 2.1.1, word by word."""
    if not hashes:
        return sha256().digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return sha256(b"\x01" + mth(hashes[:k]) + mth(hashes[k:])).digest()


def path(m: int, hashes: list[bytes]) -> list[bytes]:
    """PATH of section 2.1.3.1."""
    if len(hashes) == 1:
        return []
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    if m < k:
        return [*path(m, hashes[:k]), mth(hashes[k:])]
    return [*path(m - k, hashes[k:]), mth(hashes[:k])]


def subproof(m: int, hashes: list[bytes], complete: bool) -> list[bytes]:
    """SUBPROOF of section 2.1.4.1."""
    if m == len(hashes):
        return [] if complete else [mth(hashes)]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    if m <= k:
        return [*subproof(m, hashes[:k], complete), mth(hashes[k:])]
    return [*subproof(m - k, hashes[k:], False), mth(hashes[:k])]


def resolve(ranges: list[Range], hashes: list[bytes]) -> list[bytes]:
    return [mth(hashes[begin:end]) for begin, end in ranges]


@given(st.integers(min_value=0, max_value=300))
def test_appending_gives_the_root_of_the_definition(size: int) -> None:
    assert root_of(leaves(size)) == mth(leaves(size))


@given(SIZES, SIZES)
def test_a_frontier_goes_on_where_it_was_left(first: int, more: int) -> None:
    all_leaves = leaves(first + more)
    before = Frontier()
    for leaf in all_leaves[:first]:
        before.append(leaf)
    after = Frontier(before.size, before.peaks)
    for leaf in all_leaves[first:]:
        after.append(leaf)
    assert after.root() == mth(all_leaves)


@given(st.integers(min_value=1, max_value=900))
def test_a_tree_of_tiles_has_the_same_root(size: int) -> None:
    """Complete subtrees of 256 leaves and what is left stand for their leaves."""
    all_leaves = leaves(size)
    assert root_of([root_of(all_leaves[at : at + 256]) for at in range(0, size, 256)]) == mth(all_leaves)


@given(st.data(), SIZES)
def test_inclusion_is_the_definition_and_the_verifier_takes_it(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(min_value=0, max_value=size - 1))
    all_leaves = leaves(size)
    proof = resolve(inclusion_ranges(index, size), all_leaves)
    assert proof == path(index, all_leaves)
    assert verifier.root_from(all_leaves[index], index, size, proof) == mth(all_leaves)
    other = data.draw(st.integers(min_value=0, max_value=size - 1))
    if other != index:
        with pytest.raises(verifier.Invalid):
            verifier.need(verifier.root_from(all_leaves[index], other, size, proof) == mth(all_leaves), "elsewhere")


@given(SIZES, SIZES)
def test_consistency_is_the_definition_and_the_verifier_takes_it(first: int, more: int) -> None:
    all_leaves = leaves(first + more)
    proof = resolve(consistency_ranges(first, first + more), all_leaves)
    assert proof == subproof(first, all_leaves, True)
    old = verifier.Checkpoint("o", first, mth(all_leaves[:first]))
    new = verifier.Checkpoint("o", first + more, mth(all_leaves))
    verifier.check_consistency(old, new, proof)
    rewritten = verifier.Checkpoint("o", first + more, mth([leaf_hash(b"x"), *all_leaves[1:]]))
    with pytest.raises(verifier.Invalid):
        verifier.check_consistency(old, rewritten, proof)


RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]
"""Section 7.1, tests 1 to 3: seed, public key, message, signature."""


@pytest.mark.parametrize(("seed", "public", "message", "signature"), RFC_8032)
def test_ed25519_vectors(seed: str, public: str, message: str, signature: str) -> None:
    key, text, signed = bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature)
    assert Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed)).sign(text) == signed
    assert verifier.ed25519_holds(key, text, signed)
    assert not verifier.ed25519_holds(key, text + b"!", signed)
    for place in range(64):
        flipped = bytearray(signed)
        flipped[place] ^= 1 << place % 8
        assert not verifier.ed25519_holds(key, text, bytes(flipped))


def test_a_second_spelling_of_a_signature_is_refused() -> None:
    """S + L is the same number modulo L: RFC 8032, section 5.1.7 wants S below L."""
    _, public, message, signature = RFC_8032[0]
    signed = bytes.fromhex(signature)
    s = int.from_bytes(signed[32:], "little") + verifier.L
    assert not verifier.ed25519_holds(
        bytes.fromhex(public), bytes.fromhex(message), signed[:32] + s.to_bytes(32, "little")
    )


@given(st.binary(min_size=32, max_size=32), st.text(alphabet="abc/- ", min_size=1), st.integers(0, 2**40))
@settings(max_examples=15, deadline=None)
def test_a_signed_checkpoint_is_read_back(seed: bytes, origin: str, size: int) -> None:
    signer = Signer.from_setting(base64.b64encode(seed).decode())
    note = signer.sign(checkpoint_text(origin=origin, size=size, root=sha256(seed).digest()))
    keys = verifier.read_keys(public_key_line(signer.public_key))
    assert verifier.read_checkpoint(note, keys) == (origin, size, sha256(seed).digest())
    for place in range(0, len(note), 7):
        changed = note[:place] + chr(ord(note[place]) ^ 1) + note[place + 1 :]
        with pytest.raises((verifier.Invalid, ValueError)):
            verifier.read_checkpoint(changed, keys)


def test_the_verifier_stands_alone() -> None:
    """Only the standard library: whoever runs it has nothing of ours."""
    import ast
    import sys
    from pathlib import Path

    tree = ast.parse(Path(verifier.__file__).read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {name.name for node in imports if isinstance(node, ast.Import) for name in node.names}
    names |= {node.module or "" for node in imports if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= set(sys.stdlib_module_names)
