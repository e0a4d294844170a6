"""The mouths: outside bytes to and from the common record, one place per format.

Pure: bytes in, a whole value out. No agreements, no storage, no HTTP, no evidence, and no adapter knows another
(design.md section 4).
"""
