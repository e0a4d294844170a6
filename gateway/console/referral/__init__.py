"""The page of one referral, and everything that is done in it: `/console/referrals/{id}`.

reasons    why a case is opened, and how long that holds
asking     how a form asks, and what it does once it is sent
reaching   forms: who has the case, and whether she is reached
safety     forms: what makes her and her children safer
telling    forms: what she says, and what is said to others
ending     forms: closing, stepping back, and overriding
mistakes   forms: what was entered in error
actions    all of them, by their addresses, with what they say (`actions.toml`)
view       the record as the page shows it
timeline   what happened, the latest first
routes     the pages
"""

from gateway.console.referral.routes import routes

__all__ = ["routes"]
