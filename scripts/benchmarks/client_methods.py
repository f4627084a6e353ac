"""The 49 methods that web3.py, viem, ethers and cast send to a node between them (nodes' administration and test methods apart)."""

ETH = """
accounts blobBaseFee blockNumber call chainId createAccessList estimateGas feeHistory fillTransaction gasPrice getBalance
getBlockByHash getBlockByNumber getBlockReceipts getBlockTransactionCountByHash getBlockTransactionCountByNumber getCode
getFilterChanges getFilterLogs getLogs getProof getRawTransactionByBlockHashAndIndex getRawTransactionByBlockNumberAndIndex
getRawTransactionByHash getStorageAt getTransactionByBlockHashAndIndex getTransactionByBlockNumberAndIndex getTransactionByHash
getTransactionCount getTransactionReceipt maxPriorityFeePerGas newBlockFilter newFilter newPendingTransactionFilter
sendRawTransaction sendTransaction sign signTransaction signTypedData simulateV1 syncing uninstallFilter
"""
OVER_HTTP = (
    *(f"eth_{name}" for name in ETH.split()),
    "debug_traceTransaction",
    "net_listening",
    "net_peerCount",
    "net_version",
    "web3_clientVersion",
)
OVER_WEBSOCKET = ("eth_subscribe", "eth_unsubscribe")
