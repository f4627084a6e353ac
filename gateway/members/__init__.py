"""Members: pseudonyms and what may consent for them. Nothing personal."""
