"""The second factor: six figures that change every thirty seconds, each good once.

Source: RFC 6238, RFC 4226; the address that authenticator apps read is their common form (`otpauth://`).
"""

from __future__ import annotations

import hmac
from io import BytesIO

import pyotp
import segno

STEP_SECONDS = 30
DRIFT = 1  # steps a telephone's clock may be off, either way (RFC 6238 section 5.2)
ISSUER = "Provide Gateway"


def made() -> str:
    """A new secret of 160 bits, in Base 32."""
    return pyotp.random_base32()


def address(secret: str, account: str) -> str:
    """What an authenticator app reads from the square."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=ISSUER)


def square(secret: str, account: str) -> str:
    """The address as a QR code: SVG to stand in a page, without any style of its own."""
    out = BytesIO()
    segno.make(address(secret, account), error="m").save(
        out, kind="svg", xmldecl=False, scale=5, light="#fff", title="QR code", svgclass="app-qr", lineclass=None
    )
    return out.getvalue().decode()


def step_of(secret: str, code: str, now: float, after: int | None) -> int | None:
    """The step whose code it is, later than the last that was used; None where it is none.

    `now` is seconds since 1970.
    """
    current = int(now) // STEP_SECONDS
    found = None
    for step in range(current - DRIFT, current + DRIFT + 1):
        if hmac.compare_digest(pyotp.TOTP(secret).generate_otp(step).encode(), code.encode()) and (
            after is None or step > after
        ):
            found = step
    return found
