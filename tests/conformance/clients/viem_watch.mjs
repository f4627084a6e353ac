// Watches blocks over a WebSocket that will drop: viem connects and subscribes again by itself.
import { createPublicClient, webSocket } from "viem";

const client = createPublicClient({ transport: webSocket(process.argv[2], { reconnect: { attempts: 100, delay: 200 }, keepAlive: { interval: 200 } }) });
// viem hands over undefined for a block whose details it could not fetch: here, of a node that is gone.
client.watchBlocks({ onBlock: (block) => block && console.log(Number(block.number)), onError: () => {} });
await client.getBlockNumber();
console.log("watching");
