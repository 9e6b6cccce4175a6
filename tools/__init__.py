"""Maintainers' commands: ``python -m tools`` lists them."""
