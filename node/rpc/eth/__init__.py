"""The `eth_` methods, grouped as in the Ethereum execution API."""
