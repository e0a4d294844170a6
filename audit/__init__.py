"""The memory: a Merkle log of canonical entries, its checkpoints and proofs, and the offline verifier.

The room knows nothing of referrals, agreements or HTTP, and imports no other room. It keeps RFC 6962
hashing, C2SP signed-note, tlog-checkpoint and tlog-proof, and RFC 8785 (in the part it needs).
"""
