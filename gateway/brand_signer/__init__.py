"""The reference brand signer: a small program that a brand runs itself, with the brand's key in it.

It signs only what the brand's own sales support. Of the gateway it knows the ledger format and the rules of earning, which are pure.
"""
