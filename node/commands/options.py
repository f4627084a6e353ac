"""Options that several commands share."""

from pathlib import Path

import click

trie_option = click.option(
    "--trie",
    type=click.Choice(["batched", "stock"]),
    default="batched",
    show_default=True,
    help="batched hashes each changed node once a block; stock is py-evm's own, for comparison. Blocks are the same.",
)
evm_option = click.option(
    "--evm",
    type=click.Choice(["compiled", "stock"]),
    default="compiled",
    show_default=True,
    help="compiled runs hot code as Python; stock is py-evm's own loop and curves, for comparison. Blocks are the same.",
)
data_option = click.option("--data", type=click.Path(path_type=Path), required=True, help="The node's data directory.")
