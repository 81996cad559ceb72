// Runs commands of the built program, one after the other, as test/cli/warm-command.ts asks for them: node warm-process.mjs SOCKET
import { Buffer } from "node:buffer";
import { createServer } from "node:net";
import path from "node:path";
import { pathToFileURL } from "node:url";

const folderOfProgram = path.resolve(import.meta.dirname, "../../dist/cli");
const ownFolder = process.cwd();
let commands = 0;
let last = Promise.resolve();

// It ends with the tests, however they end.
process.stdin.on("end", () => process.exit()).resume();
// Each command adds its own.
for (const emitter of [process, process.stdout, process.stderr]) emitter.setMaxListeners(0);

createServer({ allowHalfOpen: true }, (socket) => {
  let asked = "";
  socket.setEncoding("utf8").on("data", (text) => (asked += text));
  socket.on("end", () => {
    last = last.then(async () => socket.end(JSON.stringify(await ended(JSON.parse(asked)))));
  });
}).listen(process.argv[2]);

async function ended({ args, environment, folder }) {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, environment);
  process.chdir(folder ?? ownFolder);
  process.argv = [process.execPath, path.join(folderOfProgram, "main.js"), ...args];
  process.exitCode = undefined;
  const outputs = [process.stdout, process.stderr].map(captured);
  // The query makes Node run the program again, with the modules that it has loaded for others.
  commands += 1;
  const program = pathToFileURL(path.join(folderOfProgram, "program.js"));
  try {
    await import(`${program.href}?${commands.toString()}`);
  } finally {
    for (const output of outputs) delete output.stream.write;
  }
  const [stdout, stderr] = outputs.map(({ text }) => text());
  // SQLite removes the files beside a database when its last connection is collected.
  globalThis.gc();
  return { code: process.exitCode ?? 0, stdout, stderr };
}

function captured(stream) {
  const parts = [];
  stream.write = (part, encoding, done) => {
    parts.push(Buffer.from(part, typeof encoding === "string" ? encoding : "utf8"));
    const written = typeof encoding === "function" ? encoding : done;
    if (written !== undefined) process.nextTick(written);
    return true;
  };
  return { stream, text: () => Buffer.concat(parts).toString() };
}
