#!/usr/bin/env node
/*
 * Starts the program in the same folder. An old Node must only understand this file, so that it can report that it is
 * too old.
 */
import { existsSync, mkdirSync } from "node:fs";
import module from "node:module";
import os from "node:os";
import path from "node:path";
import { EXIT_CODES, endWith } from "./exit-codes.js";
import { machineFault, nodeFault } from "./machine-faults.js";

const PROGRAM = "./program.js";

/** Node 20 cannot keep what it compiles, which the types of a newer one do not say. */
type CompilingModule = Partial<Pick<typeof module, "enableCompileCache">>;

const fault = nodeFault();
if (fault === undefined) startProgram();
else end(fault);

function startProgram(): void {
  keepCompiled();
  let isDone = false;
  process.once("beforeExit", () => {
    if (isDone) return;
    tell("this is a bug in the pipeline, please report it: the program waits forever");
    endWith(EXIT_CODES.bug);
  });
  import(PROGRAM)
    .catch((error: unknown) => {
      const found = machineFault(error);
      if (found === undefined) throw error;
      end(found);
    })
    .finally(() => (isDone = true));
}

/** Keeps the compiled code for the next start, if Node can (from 22 on), in the home of a user who has one. */
function keepCompiled({ enableCompileCache }: CompilingModule = module): void {
  try {
    let directory = os.homedir();
    if (enableCompileCache === undefined || !path.isAbsolute(directory)) return;
    // Step by step: in a folder that refuses, Node would try forever to create all of them.
    for (const name of [".cache", "voucher-pipeline", "compiled"]) {
      directory = path.join(directory, name);
      if (!existsSync(directory)) mkdirSync(directory);
    }
    enableCompileCache(directory);
  } catch (error) {
    // Without it the start takes a twentieth longer; there is no other effect.
    if (!(error instanceof Error)) throw error;
  }
}

function end({ code, message }: { readonly code: string; readonly message: string }): void {
  const isForMachines = process.argv.includes("--json");
  const text = `error ${code}: ${message}`;
  tell(isForMachines ? JSON.stringify({ error: { code, message, exit_code: EXIT_CODES.usage } }) : text);
  endWith(EXIT_CODES.usage);
}

function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}
