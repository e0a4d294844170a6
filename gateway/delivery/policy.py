"""How long to wait before a push is tried again, and when to give it up.

tenacity holds the policy and reads nothing but the type of the fault and the number of the try. The waits are hours in
all, so they are kept in the database and not slept through: a gateway that is restarted goes on where it was.

Source: domain.md section 1.1 (up to six tries, exponential back-off, then a human).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from gateway.delivery.fault import NotDelivered, TryAgain

TRIES = 6
AFTER_MAX = timedelta(hours=6)  # a receiver may ask for more time, not for a word to be forgotten

_POLICY = Retrying(
    retry=retry_if_exception_type(TryAgain),
    stop=stop_after_attempt(TRIES),
    # 30 s, 2 min, 8 min, 32 min, 1 h, each with up to half a minute more: a restart, a night's patching, an outage.
    wait=wait_exponential_jitter(multiplier=30, exp_base=4, max=3600, jitter=30),
)


def wait_after(fault: NotDelivered, tried: int) -> timedelta | None:
    """How long to wait after a try failed; `tried` counts it. None is never again."""
    state = RetryCallState(_POLICY, None, (), {})
    state.attempt_number = tried
    state.set_exception((type(fault), fault, None))
    if not _POLICY.retry(state) or _POLICY.stop(state):
        return None
    return max(timedelta(seconds=_POLICY.wait(state)), fault.after or timedelta())


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """What a `Retry-After` asks for, seconds or a date (RFC 9110 section 10.2.3), capped; None where it is none."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=min(int(text[:9]), int(AFTER_MAX.total_seconds()))), AFTER_MAX)
    try:
        return min(max(parsedate_to_datetime(text) - now, timedelta()), AFTER_MAX)
    except (TypeError, ValueError):  # TypeError: a date without a zone
        return None
