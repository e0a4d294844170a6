"""Retention: what an agreement says of keeping, legal holds that stop it, and the erasure of content on its day.

The log is never erased from: an entry holds no personal data, and is kept for as long as anybody may have to answer
for an act (domain.md section 3.9). What is erased is content, by deleting the keys it can be read with.
"""
