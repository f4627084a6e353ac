"""Asking programs that are not ours – brands' signers, nodes, a gateway seen from outside – within bounds that hold whatever they do."""
