"""Running a transaction once more, watched step by step. What is watched is py-evm's own interpreter, never a faster part."""
