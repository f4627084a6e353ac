// Watches blocks over a WebSocket that will drop: viem connects and subscribes again by itself.
import { createPublicClient, webSocket } from "viem";

const client = createPublicClient({ transport: webSocket(process.argv[2], { reconnect: { attempts: 100, delay: 200 }, keepAlive: { interval: 200 } }) });
client.watchBlocks({ onBlock: (block) => console.log(Number(block.number)), onError: () => {} });
await client.getBlockNumber();
console.log("watching");
