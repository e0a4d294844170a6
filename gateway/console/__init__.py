"""The console: what advisers, officers, auditors and operators see in a browser.

It has no powers of its own: a person who signed in is a caller like any system (`gateway.evidence.Caller`), and every
page asks the functions that the interfaces ask. What a page shows of a record was decided, minimised and sealed before.
"""
