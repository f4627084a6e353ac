"""Who may call, what was asked before, and the record of privileged acts."""
