"""The evidence log: leaves, the Merkle tree over them, proofs, signed checkpoints and whole-log verification.

One RFC 6962 log per site. What is in it can be proved years later with a checkpoint and a few hashes, and what
a leaf commits to can be erased without breaking a proof. Tamper-evident, never tamper-proof.
"""
