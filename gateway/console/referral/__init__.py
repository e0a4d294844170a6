"""The page of one referral, and everything that is done in it: `/console/referrals/{id}`.

reasons    why a case is opened, and how long that holds
asking     what a form asks, and what an action is
reaching   actions: who has the case, and whether she is reached
safety     actions: what makes her and her children safer
telling    actions: what she says, and what is said to others
ending     actions: closing, stepping back, and overriding
actions    all of them, by their addresses
view       the record as the page shows it
timeline   what happened, the latest first
routes     the pages
"""

from gateway.console.referral.routes import routes

__all__ = ["routes"]
