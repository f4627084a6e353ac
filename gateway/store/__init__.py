"""The database: sessions, units of work and what every feature's tables share. It knows no feature."""
