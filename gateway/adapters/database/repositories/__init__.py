"""SQL behind the operations' ports, one file per port."""
