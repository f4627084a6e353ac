"""Plain pages for people: rendered here, readable without JavaScript, under a strict content security policy."""
