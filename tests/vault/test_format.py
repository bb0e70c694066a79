"""Format v1 is frozen, and nothing that was moved, altered or cut opens."""

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.errors import CiphertextCorrupt
from cdp.vault import Cell, Dek, Keyring, Vault, matches, sealing, tokens
from cdp.vault.opening import open_sealed
from cdp.vault.tree import Tree
from tests.vault import independent

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "vectors.json").read_text())
CELL = Cell(7, "trait", "sealed", "name", 3)
DEK = Dek(bytes(range(32)))
VALUE = b"taro@example.jp"
SEALED = sealing.seal(DEK, VALUE, CELL)
LEAF = bytes(range(32, 64))
WRAPPED = sealing.wrap(LEAF, 7, 1, DEK)


@pytest.mark.parametrize("vector", VECTORS["sealed"])
def test_sealing_still_writes_the_frozen_bytes(vector: dict[str, Any]) -> None:
    dek, value = Dek(bytes.fromhex(vector["key"])), bytes.fromhex(vector["value"])
    cell, nonce = Cell(*vector["cell"]), bytes.fromhex(vector["nonce"])
    sealed = sealing._seal(dek, value, cell, vector["pad"], nonce)
    assert sealed.hex() == vector["sealed"]
    assert open_sealed(dek, sealed, cell) == value


@pytest.mark.parametrize("vector", VECTORS["wrapped"])
def test_wrapping_still_writes_the_frozen_bytes(vector: dict[str, Any]) -> None:
    leaf = Tree({1: bytes.fromhex(VECTORS["tree"]["root"])}).leaf(vector["subject"])
    dek, nonce = Dek(bytes.fromhex(vector["key"])), bytes.fromhex(vector["nonce"])
    assert sealing._wrap(leaf, vector["subject"], vector["tree"], dek, nonce).hex() == vector["wrapped"]


def test_the_tree_still_derives_the_frozen_leaves() -> None:
    tree = Tree({1: bytes.fromhex(VECTORS["tree"]["root"])})
    assert {n: tree.leaf(int(n)).hex() for n in VECTORS["tree"]["leaves"]} == VECTORS["tree"]["leaves"]


@pytest.mark.parametrize("vector", VECTORS["tokens"])
def test_tokens_still_come_out_as_frozen(vector: dict[str, Any]) -> None:
    key = bytes.fromhex(VECTORS["token_key"])
    made: bytes | str
    match vector["kind"]:
        case "index":
            made = tokens.index_token(key, *vector["of"])
        case "suppression":
            made = tokens.suppression_token(key, *vector["of"])
        case "digest":
            made = tokens.digest(key, vector["of"][0], vector["of"][1].encode())
        case _:
            made = tokens.pseudonym(key, *vector["of"])
    assert (made if isinstance(made, str) else made.hex()) == vector["token"]


@pytest.mark.parametrize("vector", VECTORS["sealed"])
def test_an_independent_program_opens_the_frozen_bytes(vector: dict[str, Any]) -> None:
    subject, table, column, row, version = vector["cell"]
    opened = independent.open_value(
        bytes.fromhex(vector["key"]), bytes.fromhex(vector["sealed"]), subject, table, column, row.encode(), version
    )
    assert opened.hex() == vector["value"]


def test_an_independent_program_reads_everything_from_the_keyring_file(keyring: Keyring, disks: Any) -> None:
    keyring.puncture([6, 8, 1000])
    keyring.rotate_root()
    dek, row = Vault(keyring).mint(7)
    sealed = sealing.seal(dek, VALUE, CELL)
    text = disks.keyring.read_text()
    key = independent.unwrap(independent.leaf(text, row["tree"], 7), 7, row["tree"], row["wrapped"])
    assert independent.open_value(key, sealed, 7, "trait", "sealed", b"name", 3) == VALUE


@given(st.binary(max_size=300), st.sampled_from([32, 64, 256]))
def test_what_is_sealed_opens_in_its_cell(value: bytes, pad: int) -> None:
    sealed = sealing.seal(DEK, value, CELL, pad)
    assert open_sealed(DEK, sealed, CELL) == value
    assert (len(sealed) - sealing.OVERHEAD) % pad == 0


@pytest.mark.parametrize(
    "other",
    [
        CELL._replace(subject=8),
        CELL._replace(table="fact"),
        CELL._replace(column="package"),
        CELL._replace(row="mail"),
        CELL._replace(version=2),
        CELL._replace(table="trai", column="tsealed"),
    ],
)
def test_a_value_moved_to_another_cell_does_not_open(other: Cell) -> None:
    with pytest.raises(CiphertextCorrupt):
        open_sealed(DEK, SEALED, other)


def test_a_row_may_be_named_by_text_or_by_its_bytes() -> None:
    assert open_sealed(DEK, SEALED, CELL._replace(row=b"name")) == VALUE


def test_a_sealed_value_with_any_one_bit_flipped_does_not_open() -> None:
    for bit in range(len(SEALED) * 8):
        with pytest.raises(CiphertextCorrupt):
            open_sealed(DEK, _flip(SEALED, bit), CELL)


def test_a_sealed_value_cut_or_extended_anywhere_does_not_open() -> None:
    for broken in [SEALED[:n] for n in range(len(SEALED))] + [SEALED + b"\0", SEALED + bytes(32), b"\0" + SEALED]:
        with pytest.raises(CiphertextCorrupt):
            open_sealed(DEK, broken, CELL)


def test_a_wrapped_key_with_any_one_bit_flipped_does_not_unwrap() -> None:
    for bit in range(len(WRAPPED) * 8):
        with pytest.raises(CiphertextCorrupt):
            sealing.unwrap(LEAF, 7, 1, _flip(WRAPPED, bit))


def test_a_wrapped_key_cut_or_extended_anywhere_does_not_unwrap() -> None:
    for broken in [WRAPPED[:n] for n in range(len(WRAPPED))] + [WRAPPED + b"\0"]:
        with pytest.raises(CiphertextCorrupt):
            sealing.unwrap(LEAF, 7, 1, broken)


@pytest.mark.parametrize(("subject", "tree", "leaf"), [(8, 1, LEAF), (7, 2, LEAF), (7, 1, bytes(32))])
def test_a_wrapped_key_moved_elsewhere_does_not_unwrap(subject: int, tree: int, leaf: bytes) -> None:
    with pytest.raises(CiphertextCorrupt):
        sealing.unwrap(leaf, subject, tree, WRAPPED)


def test_a_wrapped_key_must_be_the_one_that_it_names() -> None:
    """An attacker with the leaf cannot swap the key below a commitment."""
    liar = Dek(bytes(32))
    liar.kid = DEK.kid
    with pytest.raises(CiphertextCorrupt, match="not the one it names"):
        sealing.unwrap(LEAF, 7, 1, sealing.wrap(LEAF, 7, 1, liar))


@pytest.mark.parametrize("head", [b"\x00\x01", b"\x02\x01", b"\x01\x02", b"\x01\x03", b"{}", b"\xff\xff"])
def test_an_unknown_version_or_algorithm_is_never_plaintext(head: bytes) -> None:
    with pytest.raises(CiphertextCorrupt):
        open_sealed(DEK, head + SEALED[2:], CELL)


def test_another_key_does_not_open() -> None:
    with pytest.raises(CiphertextCorrupt):
        open_sealed(Dek(bytes(32)), SEALED, CELL)


def test_short_values_have_one_length() -> None:
    assert {len(sealing.seal(DEK, bytes(n), CELL)) for n in range(29)} == {sealing.OVERHEAD + 32}


def test_two_sealings_of_one_value_look_unrelated() -> None:
    assert sealing.seal(DEK, VALUE, CELL) != sealing.seal(DEK, VALUE, CELL)


@pytest.mark.parametrize("pad", [0, -32, 16, 33])
def test_padding_that_would_not_open_is_refused(pad: int) -> None:
    with pytest.raises(ValueError, match="multiples"):
        sealing.seal(DEK, VALUE, CELL, pad)


def test_matching_says_yes_or_no_and_nothing_else() -> None:
    assert matches(DEK, SEALED, CELL, VALUE) is True
    assert matches(DEK, SEALED, CELL, b"jiro@example.jp") is False
    assert matches(DEK, SEALED, CELL, VALUE + b"\0") is False
    with pytest.raises(CiphertextCorrupt):
        matches(DEK, SEALED, CELL._replace(row="mail"), VALUE)


def test_a_data_key_shows_nothing_and_stays_where_it_is() -> None:
    assert repr(DEK) == f"<Dek {DEK.kid.hex()}>"
    for leave in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            leave(DEK)


def test_no_error_repeats_a_value() -> None:
    with pytest.raises(CiphertextCorrupt) as caught:
        open_sealed(DEK, SEALED, CELL._replace(row="mail"))
    assert "taro" not in str(caught.value) and "mail" not in str(caught.value)
    assert caught.value.__cause__ is None


def _flip(content: bytes, bit: int) -> bytes:
    return content[: bit // 8] + bytes([content[bit // 8] ^ 1 << bit % 8]) + content[bit // 8 + 1 :]
