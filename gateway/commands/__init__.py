"""Commands of `splittally`, one file per trade: names, options, help. What a command does stands in `running`, imported to run it."""
