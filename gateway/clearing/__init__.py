"""Who owes whom because brands accept each other's points."""
