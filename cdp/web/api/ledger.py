"""Tamper evidence: the newest signed head, and the proof that an entry stands under it."""

from flask import Response, jsonify
from marshmallow import fields

from cdp import ledger
from cdp.errors import Problem
from cdp.ledger.keys import key_set
from cdp.web import current
from cdp.web.api.fields import Strict
from cdp.web.api.resource import Resource
from cdp.web.auth.access import ANY, requires

blueprint = Resource("ledger", __name__, url_prefix="/api/ledger", description="Tamper evidence")


class CheckpointSchema(Strict):
    """A signed tree head (C2SP signed note)."""

    origin = fields.String()
    size = fields.Integer()
    root = fields.String(metadata={"description": "Hex"})
    at = fields.DateTime()
    note = fields.String(metadata={"description": "What is signed, and the signature"})
    public_key = fields.String(metadata={"description": "Ed25519, hex"})


class KeySchema(Strict):
    """An Ed25519 key (RFC 8037)."""

    kty = fields.String()
    crv = fields.String()
    use = fields.String()
    alg = fields.String()
    kid = fields.String(metadata={"description": "Thumbprint of the key (RFC 7638)"})
    x = fields.String()


class KeySetSchema(Strict):
    """A JSON Web Key Set (RFC 7517)."""

    keys = fields.List(fields.Nested(KeySchema))


class ProofSchema(Strict):
    """An entry's text, and the path from it to a signed head (RFC 6962)."""

    entry = fields.String()
    text = fields.String()
    index = fields.Integer()
    path = fields.List(fields.String())
    checkpoint = fields.String()


@blueprint.get("/checkpoint")
@requires(ANY)
@blueprint.response(200, CheckpointSchema)
@blueprint.alt_response(404, "NOT_FOUND")
def checkpoint() -> Response:
    """Read the newest checkpoint"""
    public = current.deployment().signer.public
    with current.database().snapshot() as session:
        head = ledger.newest_checkpoint(session)
    if head is None:
        raise Problem(404, "not_sealed", "Nothing was sealed yet; the worker seals every few seconds.")
    return jsonify(
        origin=head.origin,
        size=head.size,
        root=head.root.hex(),
        at=head.at.isoformat(),
        note=head.note(public),
        public_key=public.hex(),
    )


@blueprint.get("/jwks.json")
@blueprint.doc(security=[])
@blueprint.response(200, KeySetSchema)
def jwks() -> Response:
    """Read the public keys of receipts and checkpoints

    Not among those of `/.well-known/jwks.json`, which sign access tokens: a key is for one thing.
    """
    response = jsonify(key_set(current.deployment().signer.public))
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


@blueprint.get("/proof/<string:entry>")
@requires(ANY)
@blueprint.response(200, ProofSchema)
@blueprint.alt_response(404, "NOT_FOUND")
def proof(entry: str) -> Response:
    """Prove an entry

    An entry's id is unguessable and given as a receipt: whoever has it may have the proof.
    404 while the entry is not sealed, or unknown.
    """
    with current.database().snapshot() as session:
        found = ledger.prove(session, entry) if entry.isalnum() else None
    if found is None:
        raise Problem(404, "not_sealed", "There is no such entry, or it is not sealed yet.")
    return jsonify(found.document(current.deployment().signer.public))
