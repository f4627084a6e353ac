"""Brands' signers, reached over HTTP."""
