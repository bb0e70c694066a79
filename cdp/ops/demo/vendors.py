"""What the demo plays of the outside world: LINE and SendGrid sign what they send, as the vendors do."""

import base64
import hashlib
import hmac
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class Line:
    """The LINE platform: signs a body with the channel's secret."""

    def __init__(self, channel_secret: str) -> None:
        self.channel_secret = channel_secret

    def headers(self, body: bytes) -> dict[str, str]:
        digest = hmac.new(self.channel_secret.encode(), body, hashlib.sha256).digest()
        return {"X-Line-Signature": base64.b64encode(digest).decode(), "Content-Type": "application/json"}


class SendGrid:
    """The SendGrid Event Webhook: signs time and body with its own ECDSA key (P-256, SHA-256)."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def public_key(self) -> str:
        """Base64 of the key in DER, as the vendor's settings page shows it."""
        der = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return base64.b64encode(der).decode()

    def headers(self, body: bytes) -> dict[str, str]:
        stamp = str(int(time.time()))
        signature = self._key.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        return {
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": stamp,
            "Content-Type": "application/json",
        }
