"""The promises of the gateway, each tried end to end: what a caller sees, and what is sealed and kept behind it."""
