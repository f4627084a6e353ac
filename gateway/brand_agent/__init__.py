"""The brand agent: the one program that a brand's tills call. It journals, forwards to the gateway, and signs what its journal holds."""
