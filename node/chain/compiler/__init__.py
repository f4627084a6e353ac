"""Hot EVM code translated to Python: the same results as py-evm's own loop, sooner.

A routine is straight-line Python for the code reached from one place; whatever a routine cannot do exactly goes back to py-evm.
"""
