"""Brands of the coalition: registration, terms, limits, status and signing keys."""
