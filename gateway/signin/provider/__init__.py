"""The embedded OpenID provider: accounts of this gateway, so that it can be tried without anybody's identity service.

For development alone: production has no route to it, and its commands refuse to run there. It is a provider like any
other to the console, which speaks to it in the same code flow, and trusts it for the same reasons.
"""
