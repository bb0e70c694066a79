"""A second decryptor of format v1, written from its description on another library (pycryptodome).

Reads the keyring's text, derives a leaf, unwraps a data key (AES-GCM-SIV, RFC 8452, by hand) and
opens a value. It shares no code with `cdp.vault`.
"""

import base64
import hashlib
import hmac
import json
import struct

from Crypto.Cipher import AES

POLYNOMIAL = 1 << 128 | 1 << 127 | 1 << 126 | 1 << 121 | 1


def leaf(keyring: str, tree: int, subject: int) -> bytes:
    packed = base64.b64decode(json.loads(keyring.splitlines()[1])["trees"][str(tree)]["nodes"])
    nodes = {int.from_bytes(packed[i : i + 5], "big"): packed[i + 5 : i + 37] for i in range(0, len(packed), 37)}
    path = [2**32 + subject >> up for up in range(33)]
    start = next(number for number in path if number in nodes)
    key = nodes[start]
    for number in reversed(path[: path.index(start)]):
        key = hashlib.blake2b(bytes([number & 1]), key=key, digest_size=32, person=b"cdp/tree/v1").digest()
    return key


def bound(head: bytes, subject: int, table: str, column: str, row: bytes, version: int) -> bytes:
    items = [head, struct.pack(">Q", subject), table.encode(), column.encode(), row, struct.pack(">Q", version)]
    return b"".join(struct.pack(">I", len(item)) + item for item in items)


def unwrap(leaf_key: bytes, subject: int, tree: int, wrapped: bytes) -> bytes:
    assert wrapped[:2] == b"\x01\x02"
    dek = gcm_siv(
        leaf_key, wrapped[18:30], wrapped[30:], bound(wrapped[:18], subject, "subject_key", "wrapped", b"", tree)
    )
    assert hmac.new(dek, b"cdp/v1/kid", "sha256").digest()[:16] == wrapped[2:18]
    return dek


def open_value(dek: bytes, sealed: bytes, subject: int, table: str, column: str, row: bytes, version: int) -> bytes:
    assert sealed[:2] == b"\x01\x01"
    cipher = AES.new(dek, AES.MODE_GCM, nonce=sealed[18:30])
    cipher.update(bound(sealed[:18], subject, table, column, row, version))
    padded = cipher.decrypt_and_verify(sealed[30:-16], sealed[-16:])
    (length,) = struct.unpack(">I", padded[:4])
    assert not any(padded[4 + length :])
    return padded[4 : 4 + length]


def gcm_siv(key: bytes, nonce: bytes, sealed: bytes, extra: bytes) -> bytes:
    block = AES.new(key, AES.MODE_ECB).encrypt
    derived = [block(struct.pack("<I", i) + nonce)[:8] for i in range(6)]
    authentication, encryption = b"".join(derived[:2]), AES.new(b"".join(derived[2:]), AES.MODE_ECB).encrypt
    body, tag = sealed[:-16], sealed[-16:]
    counter, rest = struct.unpack("<I", tag[:4])[0], tag[4:15] + bytes([tag[15] | 0x80])
    stream = b"".join(
        encryption(struct.pack("<I", (counter + i) % 2**32) + rest) for i in range((len(body) + 15) // 16)
    )
    plain = bytes(a ^ b for a, b in zip(body, stream, strict=False))
    total = 0
    lengths = struct.pack("<QQ", len(extra) * 8, len(plain) * 8)
    content = extra + bytes(-len(extra) % 16) + plain + bytes(-len(plain) % 16) + lengths
    for at in range(0, len(content), 16):
        total = dot(total ^ int.from_bytes(content[at : at + 16], "little"), int.from_bytes(authentication, "little"))
    mixed = bytearray(a ^ b for a, b in zip(total.to_bytes(16, "little"), nonce + bytes(4), strict=True))
    mixed[15] &= 0x7F
    assert encryption(bytes(mixed)) == tag
    return plain


def dot(left: int, right: int) -> int:
    product = 0
    for bit in range(128):
        if right >> bit & 1:
            product ^= left << bit
    for _ in range(128):
        product = (product ^ POLYNOMIAL if product & 1 else product) >> 1
    return product
