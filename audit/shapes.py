"""The shapes of acts in IHE BALP (Basic Audit Log Patterns): who plays which part, and which profile that is.

Source: the profiles at https://profiles.ihe.net/ITI/BALP, in FHIR R4. Types of agents, and with them the profiles'
slices, differ from shape to shape: the same gateway is the source of a reading and the destination of a change.
"""

from dataclasses import dataclass
from typing import Final

Coding = tuple[str, str]
"""A code system and a code of it."""

DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
REST: Final = "http://hl7.org/fhir/restful-interaction"
TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem/"
PARTICIPATION: Final = f"{TERMINOLOGY}v3-ParticipationType"
BALP_CODES: Final = "https://profiles.ihe.net/ITI/BALP/CodeSystem/"
APPLICATION: Final = (DCM, "110150")
QUERIED: Final = "24"
"""The object role of a query; what is acted on otherwise is a domain resource or a report."""

_SOURCE: Final = (DCM, "110153")
_DESTINATION: Final = (DCM, "110152")
_READER: Final = (PARTICIPATION, "IRCP")
_AUTHOR: Final = (PARTICIPATION, "AUT")
_DATA, _REPORT = "4", "3"


@dataclass(frozen=True, slots=True)
class Shape:
    """What an act looks like: its codes, the parts of the client, the gateway and the user, and its profiles.

    `role` is the object role of what the act was on; `patient_profile` is claimed where a patient is known, `profile`
    where none is; either may be None.
    """

    type: Coding
    subtype: Coding
    action: str
    client: Coding
    server: Coding
    user: Coding
    role: str
    profile: str | None
    patient_profile: str | None


def _rest(code: str, action: str, parts: tuple[Coding, Coding, Coding], name: str, role: str = _DATA) -> Shape:
    of = (f"{TERMINOLOGY}audit-event-type", "rest")
    return Shape(of, (REST, code), action, *parts, role, f"IHE.BasicAudit.{name}", f"IHE.BasicAudit.Patient{name}")


_WRITING: Final = (_SOURCE, _DESTINATION, _AUTHOR)
_ASKING: Final = (_SOURCE, _DESTINATION, _READER)
_READING: Final = (_DESTINATION, _SOURCE, _READER)
_ERASING: Final = (APPLICATION, (f"{TERMINOLOGY}provenance-participant-type", "custodian"), _AUTHOR)
_DISCLOSE: Final = (f"{TERMINOLOGY}iso-21089-lifecycle", "disclose")

CREATE: Final = _rest("create", "C", _WRITING, "Create")
READ: Final = _rest("read", "R", _READING, "Read")
UPDATE: Final = _rest("update", "U", _WRITING, "Update")
DELETE: Final = _rest("delete", "D", _ERASING, "Delete")
QUERY: Final = _rest("search", "E", _ASKING, "Query", QUERIED)
DISCLOSED: Final = Shape(
    (DCM, "110106"), _DISCLOSE, "R", *_READING, _REPORT, None, "IHE.BasicAudit.PrivacyDisclosure.Source"
)
RECEIVED: Final = Shape(
    (DCM, "110107"), _DISCLOSE, "C", *_WRITING, _REPORT, None, "IHE.BasicAudit.PrivacyDisclosure.Recipient"
)
DECIDED: Final = Shape(
    type=(DCM, "110113"),
    subtype=(f"{BALP_CODES}AuthZsubType", "AuthZ-Consent"),
    action="E",
    client=APPLICATION,
    server=(f"{TERMINOLOGY}extra-security-role-type", "authserver"),
    user=_READER,
    role=_DATA,
    profile=None,
    patient_profile="IHE.BasicAudit.AuthZconsent",
)
SIGNED_IN: Final = Shape(
    type=(DCM, "110114"),
    subtype=("urn:ihe:event-type-code", "ITI-71"),
    action="E",
    client=APPLICATION,
    server=(f"{BALP_CODES}UserAgentTypes", "AuthzOauthService"),
    user=_READER,
    role=QUERIED,
    profile="IHE.IUA.71",
    patient_profile=None,
)
LOGIN: Final = Shape((DCM, "110114"), (DCM, "110122"), "E", *_ASKING, _DATA, None, None)
LOGOUT: Final = Shape((DCM, "110114"), (DCM, "110123"), "E", *_ASKING, _DATA, None, None)
"""A person's coming and going at a page (DICOM PS3.16 CID 402), which BALP has no profile for."""
ACTIVITY: Final = Shape((DCM, "110100"), (DCM, "110120"), "E", *_WRITING, _DATA, None, None)
"""An act of the program itself, which is no act of BALP's."""
