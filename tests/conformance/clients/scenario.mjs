// What every client is asked to do, and how it reports: one JSON object on standard output. The checks are the caller's.
import { readFileSync } from "node:fs";

export const [url, artifactFile, key] = process.argv.slice(2);
export const artifact = JSON.parse(readFileSync(artifactFile));
export const member = "0x00000000000000000000000000000000000a11ce";
export const stranger = "0x" + "5d".repeat(32); // a private key that holds nothing
export const lot = 7n;
export const points = [125n, 75n];
export const overWebSocket = url.startsWith("ws");

export const nameOf = (value) => value.toLowerCase();

export async function until(found, what) {
  const end = Date.now() + 20_000;
  while (!found()) {
    if (Date.now() > end) throw new Error(`never saw ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export async function refusal(attempt, read) {
  try {
    await attempt();
  } catch (error) {
    return read(error);
  }
  throw new Error("was not refused");
}

export async function report(facts) {
  const text = JSON.stringify(facts, (_, value) => (typeof value === "bigint" ? value.toString() : value));
  await new Promise((resolve) => process.stdout.write(text + "\n", resolve));
  process.exit(0);
}
