"""Proofs: what the lesson promises about pods, rooms without network and odd hands, outside the test run."""
