"""What the check of an access token costs on every call, in this process."""

from __future__ import annotations

import time

from gateway.keys import Keyring
from gateway.services import open_services
from gateway.settings import Settings
from gateway.tokens.check import TokenCheck
from tests.bench.figures import MICROSECONDS, Row, middle

CALLS = 2_000  # a round; the median of rounds passes over the one that reads the register of clients again
ROUNDS = 11


def measure(settings: Settings, engine: str, token: str) -> list[Row]:
    """The check of a token seen before, and of one never seen; both judge its expiry and its client every time."""
    services = open_services(settings)
    header = f"Bearer {token}"
    try:

        def new(keyring: Keyring) -> TokenCheck:
            return TokenCheck(settings, keyring, services.clients)

        fresh = [new(services.keyring) for _ in range(CALLS // 10)]
        seen = [_each([services.tokens] * CALLS, header) for _ in range(ROUNDS)]
        return [
            Row("token_check", engine, middle(seen), MICROSECONDS),
            Row("token_check_unseen", engine, _each(fresh, header), MICROSECONDS),
        ]
    finally:
        services.close()


def _each(checks: list[TokenCheck], header: str) -> float:
    """Microseconds a check."""
    began = time.perf_counter()
    for check in checks:
        check.caller(header)
    return (time.perf_counter() - began) / len(checks) * 1e6
