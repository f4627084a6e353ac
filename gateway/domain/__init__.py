"""The domain: plain frozen dataclasses and functions. No database, network, clock or randomness; time and ids come in as arguments."""
