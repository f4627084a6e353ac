// Standard JSON in on stdin, standard JSON out on stdout: the compiler that package-lock.json pins.
const solc = require("solc");
const input = require("fs").readFileSync(0, "utf8");
process.stdout.write(JSON.stringify({ version: solc.version(), output: JSON.parse(solc.compile(input)) }));
