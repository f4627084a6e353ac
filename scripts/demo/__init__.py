"""The demo coalition: its sales, the generator of provider files, the scorer, and the process that holds the members' keys."""
