"""What a brand has published: its rules, and the sheet that partners read of it."""
