"""Points that members hold: what can be spent, what happened, what expires."""
