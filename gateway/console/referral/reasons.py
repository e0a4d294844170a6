"""Why a case is opened: one click, kept with the browser for that case and this sign-in, and not for long.

The reason stands in the address of the click alone. From then on a cookie holds it: sent for this case's pages only,
bound to the session, for half an hour. A browser that was led here by another site is asked again, so that nobody opens
a case in somebody else's name with a reason of their choosing.

Source: design.md section 7 (the reason code of every reading); OWASP ASVS 5.0 section 3.3 (cookies).
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.responses import Response

from gateway.casefile import Opening
from gateway.console.guard import Visit
from gateway.console.page import PREFIX
from gateway.services import Services

HOLDS_SECONDS = 1800
"""Half an hour: the length of a call and of writing down what came of it."""

_NAME = "reason"
_FROM_HERE = frozenset({"none", "same-origin"})  # typed, or led to by a page of ours (Fetch Metadata)


@dataclass(frozen=True, slots=True)
class Reasons:
    """Finds the reason of a visit, and keeps it."""

    services: Services

    def of(self, visit: Visit, referral_id: str) -> Opening | None:
        """The reason that was clicked on now, or the one that still holds; None where there is none."""
        request = visit.request
        clicked = request.query_params.get("reason", "")
        if clicked in set(Opening) and request.headers.get("sec-fetch-site", "none") in _FROM_HERE:
            return Opening(clicked)
        return self._kept(visit, referral_id)

    def keep(self, response: Response, visit: Visit, referral_id: str) -> None:
        """Keep the reason that was clicked on; one that holds already holds no longer for it."""
        reason = self.of(visit, referral_id)
        if reason is None or self._kept(visit, referral_id) is reason:
            return
        until = int(datetime.now(UTC).timestamp()) + HOLDS_SECONDS
        said = f"{reason.value}.{until}"
        response.set_cookie(
            self._name(),
            f"{said}.{self._mark(visit, referral_id, said)}",
            max_age=HOLDS_SECONDS,
            path=f"{PREFIX}/referrals/{referral_id}",
            secure=self._secure(),
            httponly=True,
            samesite="strict",
        )

    def _kept(self, visit: Visit, referral_id: str) -> Opening | None:
        said, _, mark = visit.request.cookies.get(self._name(), "").rpartition(".")
        reason, _, until = said.partition(".")
        if not hmac.compare_digest(mark.encode(), self._mark(visit, referral_id, said).encode()):
            return None
        return Opening(reason) if int(until) > datetime.now(UTC).timestamp() else None

    def _mark(self, visit: Visit, referral_id: str, said: str) -> str:
        return self.services.keyring.blind("console-reason", f"{visit.session}|{referral_id}|{said}").hex()

    def _name(self) -> str:
        return f"__Secure-{_NAME}" if self._secure() else _NAME  # not __Host-, which wants every path

    def _secure(self) -> bool:
        return self.services.settings.public_url.startswith("https://")
