// The scenario in viem, as its documentation writes it.
import { createPublicClient, createWalletClient, custom, defineChain, encodeFunctionData, http, webSocket } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { artifact, key, lot, member, nameOf, overWebSocket, points, refusal, report, stranger, until, url } from "./scenario.mjs";

const transport = overWebSocket ? webSocket(url) : http(url, { batch: true });
const probe = createPublicClient({ transport });
const chain = defineChain({ id: await probe.getChainId(), name: "ledger", nativeCurrency: { name: "", symbol: "", decimals: 18 }, rpcUrls: { default: { http: [url] } } });
const client = createPublicClient({ chain, transport, pollingInterval: 50 });
const owner = privateKeyToAccount(key);
const wallet = createWalletClient({ account: owner, chain, transport });
const { abi, bytecode } = artifact;

const blocks = [];
const events = [];
const lost = (error) => { throw error; };
const leaveBlocks = client.watchBlocks({ onBlock: (block) => blocks.push(Number(block.number)), onError: lost, emitMissed: true });

const deployHash = await wallet.deployContract({ abi, bytecode });
const deployed = await client.waitForTransactionReceipt({ hash: deployHash });
const address = deployed.contractAddress;
const leaveEvents = client.watchContractEvent({ address, abi, eventName: "TransferSingle", onLogs: (logs) => events.push(...logs), onError: lost });
await new Promise((resolve) => setTimeout(resolve, 300)); // viem gives no word of a watch begun

const read = (functionName, args = [], more = {}) => client.readContract({ address, abi, functionName, args, ...more });
const before = await read("balanceOf", [member, lot]);
const receipts = [];
for (const amount of points) {
  const { request } = await client.simulateContract({ account: owner, address, abi, functionName: "issue", args: [member, lot, amount] });
  receipts.push(await client.waitForTransactionReceipt({ hash: await wallet.writeContract(request) }));
}
const last = receipts.at(-1);
await until(() => events.length >= points.length && blocks.includes(Number(last.blockNumber)), "the events and blocks it watches");
leaveBlocks();
leaveEvents();

const logs = await client.getContractEvents({ address, abi, eventName: "TransferSingle", fromBlock: deployed.blockNumber, toBlock: "latest" });
const oneLog = await client.getContractEvents({ address, abi, eventName: "TransferSingle", blockHash: last.blockHash });
const proof = await client.getProof({ address, storageKeys: [`0x${"0".repeat(63)}3`], blockNumber: last.blockNumber });
const block = await client.getBlock({ blockNumber: last.blockNumber });
const [simulated] = await client.simulateBlocks({ blocks: [{ calls: [{ account: owner.address, to: address, data: encodeFunctionData({ abi, functionName: "issue", args: [member, lot, 1n] }) }] }] });

const told = (error) => {
  const found = error.walk((inner) => typeof inner.code === "number" && inner.code !== undefined && inner.data === undefined ? true : typeof inner.code === "number") ?? error;
  return { code: found.code, message: found.details ?? found.message, data: found.data };
};
const reverted = await refusal(() => client.request({ method: "eth_call", params: [{ to: address, data: encodeFunctionData({ abi, functionName: "issue", args: [member, lot, 1n] }) }, "latest"] }, { retryCount: 0 }), told);
const named = await refusal(() => read("safeTransferFrom", [owner.address, member, lot, 5n, "0x"], { account: owner }), (error) => error.walk((inner) => inner.name === "ContractFunctionRevertedError").data.errorName);
const unknown = await refusal(() => client.request({ method: "eth_noSuchThing", params: [] }, { retryCount: 0 }), told);
const plain = { to: member, value: 1n, gas: 21_000n, maxFeePerGas: 2_000_000_000n, maxPriorityFeePerGas: 1n };
const tooLow = await refusal(() => wallet.sendTransaction({ ...plain, nonce: 0 }), told);
const poor = createWalletClient({ account: privateKeyToAccount(stranger), chain, transport });
const noFunds = await refusal(() => poor.sendTransaction({ ...plain, nonce: 0 }), told);

await report({
  chainId: chain.id,
  deployment: { hash: deployHash, address: nameOf(address), status: deployed.status === "success", code: await client.getCode({ address }), block: deployed.blockNumber },
  owner: nameOf(await read("owner")),
  balances: [before, await read("balanceOf", [member, lot]), await read("balanceOf", [member, lot], { blockNumber: deployed.blockNumber })],
  receipts: receipts.map((one) => ({ hash: one.transactionHash, status: one.status === "success", from: nameOf(one.from), to: nameOf(one.to), block: one.blockNumber, gasUsed: one.gasUsed, logs: one.logs.length })),
  logs: logs.map((one) => ({ member: nameOf(one.args.to), lot: one.args.id, points: one.args.value, hash: one.transactionHash })),
  logsOfLastBlock: oneLog.length,
  watched: { blocks, events: events.map((one) => one.args.value) },
  proof: { block: Number(block.number), stateRoot: block.stateRoot, address: nameOf(address), accountProof: proof.accountProof, storageHash: proof.storageHash, codeHash: proof.codeHash, slot: proof.storageProof[0] },
  simulated: { status: simulated.calls[0].status === "success", logs: simulated.calls[0].logs.length },
  refusals: { reverted, named, unknown, tooLow, noFunds },
});
