"""What witnesses have countersigned: taken from them as it is, also where it contradicts what is projected here."""
