"""A receipt is believed only as the very bytes that were signed; two other implementations agree on what those are."""

import base64
import json

import pytest
import rfc8785
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws as jose
from joserfc.jwk import OKPKey

from cdp.consent.receipts import check
from cdp.consent.receipts.checking import FLAWS, LONGEST, TYPE
from cdp.consent.receipts.issuing import signed
from cdp.ledger import Signer
from cdp.ledger.attestation import attest
from cdp.ledger.jws import sign_detached
from cdp.ledger.keys import key_id, key_set, read_keys
from tests.consent.speaking import Desk


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return Signer.create(tmp_path_factory.mktemp("signing") / "ledger")


@pytest.fixture(scope="module")
def receipt(signer: Signer) -> bytes:
    return signed(
        signer,
        {
            "header": {"form": "sekisho.receipt/1", "record_id": "r"},
            "processing": {"title": "関所 “é” \u2028 \n"},
            "parties": [],
            "events": [{"event_state": "https://w3id.org/dpv#ConsentGiven", "act": True, "valid_until": None}],
        },
    )


def flaw(content: bytes, *signers: Signer) -> str:
    return check(content, [one.public for one in signers]).flaw


def test_a_receipt_as_it_was_signed_is_valid(receipt: bytes, signer: Signer) -> None:
    verdict = check(receipt, [signer.public])
    assert verdict.flaw == "" and verdict.key == signer.public
    assert verdict.document is not None and verdict.document["header"]["record_id"] == "r"


def by_hand(content: bytes) -> tuple[bytes, bytes]:
    """Return what is signed and the signature, put together with the standard library alone."""
    said = json.loads(content)
    header, signature = said.pop("signature").split("..")
    payload = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    encoded = base64.urlsafe_b64encode(payload).rstrip(b"=")
    return header.encode() + b"." + encoded, base64.urlsafe_b64decode(signature + "==")


def test_another_implementation_of_the_signature_agrees(desk: Desk) -> None:
    text, signature = by_hand(desk.bytes_of(desk.say("given")))
    key = eddsa.import_public_key(desk.signer.public)
    eddsa.new(key, "rfc8032").verify(text, signature)
    with pytest.raises(ValueError):
        eddsa.new(key, "rfc8032").verify(text + b"x", signature)


def test_a_library_of_web_signatures_agrees_with_the_published_key(desk: Desk) -> None:
    said = desk.read(desk.say("given"))
    header, signature = said.pop("signature").split("..")
    payload = base64.urlsafe_b64encode(rfc8785.dumps(said)).rstrip(b"=").decode()
    (published,) = key_set(desk.signer.public)["keys"]
    key = OKPKey.import_key(published)
    read = jose.deserialize_compact(f"{header}.{payload}.{signature}", key, algorithms=["Ed25519"])
    assert read.headers() == {"alg": "Ed25519", "kid": key.thumbprint(), "typ": TYPE}
    assert published["kid"] == key.thumbprint() == key_id(desk.signer.public)


@given(place=st.integers(min_value=0), bit=st.integers(0, 7))
def test_no_receipt_with_a_bit_flipped_is_valid(receipt: bytes, signer: Signer, place: int, bit: int) -> None:
    changed = bytearray(receipt)
    changed[place % len(receipt)] ^= 1 << bit
    assert flaw(bytes(changed), signer) in FLAWS


def test_no_single_bit_can_be_flipped_and_no_byte_be_missing_from_the_end(receipt: bytes, signer: Signer) -> None:
    for place in range(len(receipt)):
        assert flaw(receipt[:place], signer) in FLAWS, place
        for bit in range(8):
            changed = receipt[:place] + bytes([receipt[place] ^ 1 << bit]) + receipt[place + 1 :]
            assert flaw(changed, signer) in FLAWS, (place, bit)


@given(noise=st.binary(max_size=200), place=st.integers(min_value=0))
def test_noise_is_refused_wherever_it_is_put(receipt: bytes, signer: Signer, noise: bytes, place: int) -> None:
    cut = place % (len(receipt) + 1)
    changed = receipt[:cut] + noise + receipt[cut:]
    assert flaw(changed, signer) in FLAWS or changed == receipt
    assert flaw(noise, signer) in FLAWS


def test_each_way_of_being_wrong_has_its_own_line(receipt: bytes, signer: Signer, tmp_path) -> None:
    said = json.loads(receipt)
    other = Signer.create(tmp_path / "other")
    twice = receipt.replace(b'"events":', b'"events":[],"events":', 1)
    changed = rfc8785.dumps({**said, "parties": ["me"]})
    assert flaw(receipt[:-9], signer) == "not_whole"
    assert flaw(b"", signer) == flaw(b"\xff", signer) == flaw(b"[" * 100_000, signer) == "not_whole"
    assert flaw(b'{"signature":1e999}', signer) == flaw(b'{"signature":"\\ud800"}', signer) == "not_whole"
    assert flaw(twice, signer) == "said_twice"
    assert flaw(receipt + b"\n", signer) == "not_as_signed"
    assert flaw(json.dumps(said, indent=1).encode(), signer) == "not_as_signed"
    assert flaw(changed, signer) == "altered"
    assert flaw(receipt, other) == flaw(receipt) == "other_key"
    assert flaw(receipt, other, signer) == ""
    assert flaw(b'{"signature":"x"}', signer) == "other_key"
    assert flaw(b"{}", signer) == flaw(b"[]", signer) == flaw(b'{"signature":7}', signer) == "no_receipt"
    assert flaw(b" " * (LONGEST + 1), signer) == "too_long"


def test_what_the_same_key_signed_for_another_end_is_no_receipt(receipt: bytes, signer: Signer) -> None:
    """Not a document of another kind, not an attestation such as an erasure certificate, not one without a form."""
    said = json.loads(receipt)
    said.pop("signature")
    text = lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"=").decode()  # noqa: E731 - as JOSE writes bytes
    header = json.loads(receipt)["signature"].split("..")[0]
    attested = text(attest(signer, f"{header}.{text(rfc8785.dumps(said))}".encode()))
    for signature in (sign_detached(signer, "certificate", rfc8785.dumps(said)), f"{header}..{attested}"):
        assert flaw(rfc8785.dumps({**said, "signature": signature}), signer) in ("other_key", "altered")
    formless = {"header": {"form": "sekisho.erasure/1"}}
    signature = sign_detached(signer, TYPE, rfc8785.dumps(formless))
    assert flaw(rfc8785.dumps({**formless, "signature": signature}), signer) == "no_receipt"


def test_a_key_without_a_signature_is_not_accepted(receipt: bytes, signer: Signer) -> None:
    said = json.loads(receipt)
    for algorithm in ("none", "HS256"):
        header = base64.urlsafe_b64encode(json.dumps({"alg": algorithm}).encode()).rstrip(b"=").decode()
        forged = rfc8785.dumps({**said, "signature": f"{header}.."})
        assert flaw(forged, signer) == "other_key"


def test_a_key_is_read_from_whatever_people_keep_it_in(signer: Signer) -> None:
    public = signer.public
    pem = eddsa.import_public_key(public).export_key(format="PEM").encode()
    whole = key_set(public)
    (one,) = whole["keys"]
    for kept in (json.dumps(whole), json.dumps(one), public.hex() + "\n", pem.decode()):
        assert read_keys(kept.encode()) == [public], kept


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"{}",
        b'{"keys":[]}',
        b'{"keys":{}}',
        b'{"keys":[7]}',
        b'{"crv":"Ed25519","x":"AAAA"}',
        b'{"crv":"Ed25519"}',
        b"00" * 31,
        b"zz" * 32,
        b"\xff" * 32,
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        ECC.generate(curve="P-256").public_key().export_key(format="PEM").encode(),
    ],
)
def test_what_is_no_key_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError):
        read_keys(content)


def test_the_thumbprint_is_the_one_of_the_specification() -> None:
    """RFC 8037, appendix A.3."""
    x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    public = base64.urlsafe_b64decode(x + "=")
    assert key_id(public) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
