"""Commands of `splittally`, one file per trade: each is a translation, as a route is."""
