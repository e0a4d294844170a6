"""The form by which what waits is read again after a profile was mended: a trial first, and then in earnest."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from gateway.console.forms import FormModel
from gateway.errors import BadParameter
from gateway.profiles import Profiles
from gateway.replaying import Wanted

Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class Again(FormModel):
    """What is read again: by which profile, for which reason, since which day (UTC), and how."""

    profile: Annotated[Code | None, Field(title="the profile")] = None
    why: Annotated[Code | None, Field(title="the reason")] = None
    since: Annotated[date | None, Field(title="the day it came in")] = None
    run: Annotated[str, Field(pattern="^(trial|earnest)$")] = "trial"

    @property
    def trial(self) -> bool:
        """Whether nothing is to change."""
        return self.run == "trial"

    def wanted(self, profiles: Profiles) -> Wanted:
        """Which inputs those are. Raises BadParameter where there is no such profile."""
        if self.profile is not None and self.profile not in profiles.names:
            raise BadParameter("there is no profile of this name")
        return Wanted(self.profile, self.why, self.since.isoformat() if self.since else None)
