"""OAuth 2 for systems: who the clients are, tokens for them, and the check of a token on every call."""
