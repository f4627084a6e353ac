// The scenario in ethers 6, as its documentation writes it.
import { Contract, ContractFactory, JsonRpcProvider, NonceManager, Wallet, WebSocketProvider } from "ethers";
import { artifact, key, lot, member, nameOf, overWebSocket, points, refusal, report, stranger, until, url } from "./scenario.mjs";

const provider = overWebSocket ? new WebSocketProvider(url) : new JsonRpcProvider(url, undefined, { pollingInterval: 50 });
const owner = new Wallet(key, provider);
const signer = new NonceManager(owner);
const { abi, bytecode } = artifact;

const blocks = [];
const events = [];
await provider.on("block", (number) => blocks.push(number));

const factory = new ContractFactory(abi, bytecode, signer);
const ledger = await factory.deploy();
const deployed = await ledger.deploymentTransaction().wait();
const address = await ledger.getAddress();
const contract = new Contract(address, abi, signer);
await contract.on("TransferSingle", (operator, from, to, id, value) => events.push(value));

const before = await contract.balanceOf(member, lot);
const receipts = [];
for (const amount of points) {
  await contract.issue.staticCall(member, lot, amount);
  receipts.push(await (await contract.issue(member, lot, amount)).wait());
}
const last = receipts.at(-1);
await until(() => events.length >= points.length && blocks.includes(last.blockNumber), "the events and blocks it watches");
await provider.removeAllListeners();
await contract.removeAllListeners();

const logs = await contract.queryFilter("TransferSingle", deployed.blockNumber, "latest");
const oneLog = await provider.getLogs({ address, blockHash: last.blockHash });
const proof = await provider.send("eth_getProof", [address, [`0x${"0".repeat(63)}3`], `0x${last.blockNumber.toString(16)}`]);
const block = await provider.getBlock(last.blockNumber);
const [simulated] = await provider.send("eth_simulateV1", [{ blockStateCalls: [{ calls: [{ from: owner.address, to: address, input: contract.interface.encodeFunctionData("issue", [member, lot, 1n]) }] }] }, "latest"]);

const told = (error) => {
  const inner = error.info?.error ?? error.error ?? error;
  return { code: inner.code, message: inner.message, data: inner.data };
};
const reverted = await refusal(() => provider.send("eth_call", [{ to: address, data: contract.interface.encodeFunctionData("issue", [member, lot, 1n]) }, "latest"]), told);
const named = await refusal(() => contract.safeTransferFrom.staticCall(owner.address, member, lot, 5n, "0x"), (error) => error.revert.name);
const unknown = await refusal(() => provider.send("eth_noSuchThing", []), told);
const plain = { to: member, value: 1n, gasLimit: 21_000n, maxFeePerGas: 2_000_000_000n, maxPriorityFeePerGas: 1n, nonce: 0 };
const tooLow = await refusal(() => owner.sendTransaction(plain), told);
const noFunds = await refusal(() => new Wallet(stranger, provider).sendTransaction(plain), told);

await report({
  chainId: Number((await provider.getNetwork()).chainId),
  deployment: { hash: deployed.hash, address: nameOf(address), status: deployed.status === 1, code: await provider.getCode(address), block: deployed.blockNumber },
  owner: nameOf(await contract.owner()),
  balances: [before, await contract.balanceOf(member, lot), await contract.balanceOf(member, lot, { blockTag: deployed.blockNumber })],
  receipts: receipts.map((one) => ({ hash: one.hash, status: one.status === 1, from: nameOf(one.from), to: nameOf(one.to), block: one.blockNumber, gasUsed: one.gasUsed, logs: one.logs.length })),
  logs: logs.map((one) => ({ member: nameOf(one.args.to), lot: one.args.id, points: one.args.value, hash: one.transactionHash })),
  logsOfLastBlock: oneLog.length,
  watched: { blocks, events },
  proof: { block: block.number, stateRoot: block.stateRoot, address: nameOf(address), accountProof: proof.accountProof, storageHash: proof.storageHash, codeHash: proof.codeHash, slot: proof.storageProof[0] },
  simulated: { status: simulated.calls[0].status === "0x1", logs: simulated.calls[0].logs.length },
  refusals: { reverted, named, unknown, tooLow, noFunds },
});
