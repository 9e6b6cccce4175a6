"""Benchmarks: longer proofs of what the lesson claims about speed and accuracy, outside the test run."""
