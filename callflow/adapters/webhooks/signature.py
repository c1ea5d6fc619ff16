"""The signature of a webhook: the receiver can tell that callflow sent it, and when."""

import hashlib
import hmac


def signature(secret: bytes, at_s: int, body: bytes) -> str:
    """`t=TIMESTAMP,v1=HEX`: HMAC-SHA256 of the timestamp, a full stop and the body, with the shared secret."""
    digest = hmac.new(secret, f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={digest}"
