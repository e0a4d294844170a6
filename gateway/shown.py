"""What a row of a worklist, a case of the downtime list, and a page of the console can carry of a record.

An entry that seals one names it as its type, so that the decision can be made again (P4); none is a FHIR resource.
"""

from __future__ import annotations

from typing import Final

from mappings.items import CATALOGUE

WORKLIST_ROW: Final = "WorklistRow"
"""What an entry names as its type where a row of a worklist was shown."""

ROW_ITEMS: Final = frozenset(
    {
        "event.area",
        "event.times",
        "history.repeats",
        "police.custody",
        "risk.assessment",
        "risk.grade",
        "victim.listed",
    }
)
"""What a row shows, as far as the decision releases it: area, day, repeats, a release, the grade with its age."""

DOWNTIME_CASE: Final = "DowntimeCase"
"""What an entry names as its type where a case was written into a downtime list."""

DOWNTIME_ITEMS: Final = ROW_ITEMS | {
    "child.listed",
    "consent.state",
    "orders",
    "people.relationships",
    "police.safety_warnings",
    "suspect.listed",
    "suspect.name",
    "victim.birth",
    "victim.contact",
    "victim.name",
    "victim.needs",
    "victim.safe_contact",
}
"""What somebody needs to go on by telephone: whom, how safely, how urgent. No address of anybody, and no narrative."""

SAFE_ADDRESS: Final = "SafeAddress"
"""What an entry names as its type where an address that is kept safe was looked up, by a click of its own."""

SAFE_ADDRESS_ITEMS: Final = frozenset({"victim.listed", "child.listed", "victim.safe_address", "child.safe_address"})
"""Where she is, and who of her children is with her; nothing of who she is."""

CASE_PAGE: Final = "CasePage"
"""What an entry names as its type where a case was shown as a page."""

PAGE_ITEMS: Final = frozenset(item for item in CATALOGUE if not item.endswith(".safe_address"))
"""Everything but where somebody is kept safe."""

PARTS: Final = {CASE_PAGE: PAGE_ITEMS, SAFE_ADDRESS: SAFE_ADDRESS_ITEMS}
"""The parts of a case that can be opened by themselves (`casefile`)."""
