// Watches blocks over a WebSocket that will drop: ethers leaves it to its user to connect again, as its documentation says.
import { WebSocketProvider } from "ethers";

async function watch() {
  const provider = new WebSocketProvider(process.argv[2]);
  provider.websocket.onerror = () => {};
  provider.websocket.onclose = () => setTimeout(watch, 200);
  await provider.on("block", (number) => console.log(number));
  await provider.getBlockNumber();
  console.log("watching");
}

watch();
