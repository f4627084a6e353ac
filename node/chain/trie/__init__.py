"""Merkle-Patricia tries that hash each changed node once per block, in place of py-evm's node-by-node ones."""
