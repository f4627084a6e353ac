"""Ethereum JSON-RPC over HTTP, on loopback only."""
