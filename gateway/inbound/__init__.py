"""What our own servers bound before a request is one, whoever connects: the gateway's door and a brand's agent alike."""
