"""What the NHS side speaks: FHIR R4, HL7 v2 and the messages built on them (design.md section 9).

Every writer here is handed a record that a decision has already narrowed; it writes what is there and adds nothing.
"""
