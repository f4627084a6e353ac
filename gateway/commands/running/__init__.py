"""What the commands do: each function is a translation, as a route is. Imported when a command is run, never for its help."""
