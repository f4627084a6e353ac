"""The witness: a brand or an auditor follows the chain's headers by itself and countersigns checkpoints of it.

It trusts nothing of the node that it asks but the genesis hash in its own settings.
"""
