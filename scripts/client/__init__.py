"""Makes the Python client of the gateway's API from its description: `python3 -m scripts.client`."""
