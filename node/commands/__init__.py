"""Commands beside `init` and `run`, a file each."""
