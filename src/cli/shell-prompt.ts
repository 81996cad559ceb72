import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { PipelineError } from "../base/errors.js";
import { textTable } from "../base/text-table.js";
import type { Shell } from "../introspect/shell.js";
import type { Holding } from "../introspect/view-files.js";
import { endsStatement, saysNothing } from "../sql-text/scan.js";
import { printResult, writerTo, type ResultFormat } from "./shell-output.js";

const PROMPT = "shell> ";
const CONTINUED = "  ...> ";

const HELP = `End each statement with ; . A statement can have several lines.
.tables   list the tables
.help     show this help
.exit     leave; Ctrl-D does the same
Ctrl-C cancels the running statement, or clears the line.
`;

/** The input and output of a prompt. */
export interface PromptOptions {
  readonly input: Readable;
  readonly output: Writable;
  /** Whether the output is a terminal with line editing. */
  readonly terminal: boolean;
  readonly format: ResultFormat;
  /** Ends the prompt. */
  readonly signal: AbortSignal;
}

/**
 * Reads statements and prints their results until the input ends or the user leaves.
 * @throws PipelineError CANCELLED if the signal ends it.
 */
export async function holdPrompt(shell: Shell, options: PromptOptions): Promise<void> {
  const { input, output, terminal, signal } = options;
  const lines = createInterface({ input, output, terminal, historySize: 1000 });
  const end = () => {
    lines.close();
  };
  signal.addEventListener("abort", end, { once: true });
  const conversation = new Conversation(shell, options, lines);
  lines.on("SIGINT", () => {
    conversation.interrupt();
  });
  try {
    conversation.ask();
    for await (const line of lines) {
      if ((await conversation.hear(line)) === "leave") break;
      conversation.ask();
    }
  } finally {
    signal.removeEventListener("abort", end);
    lines.close();
  }
  if (terminal) output.write("\n");
  signal.throwIfAborted();
}

/** The typed part of a statement, and the running statement. */
class Conversation {
  readonly #shell: Shell;
  readonly #options: PromptOptions;
  readonly #lines: Interface;
  readonly #write;
  #typed = "";
  #running: AbortController | undefined;

  constructor(shell: Shell, options: PromptOptions, lines: Interface) {
    this.#shell = shell;
    this.#options = options;
    this.#lines = lines;
    this.#write = writerTo(options.output);
  }

  ask(): void {
    this.#lines.setPrompt(this.#typed === "" ? PROMPT : CONTINUED);
    this.#lines.prompt();
  }

  async hear(line: string): Promise<"go on" | "leave"> {
    if (this.#typed === "" && line.trim().startsWith(".")) return this.#obey(line.trim());
    const typed = `${this.#typed}${line}\n`;
    if (endsStatement(typed)) {
      this.#typed = "";
      await this.#answer(typed);
    } else {
      this.#typed = saysNothing(typed) ? "" : typed;
    }
    return "go on";
  }

  interrupt(): void {
    if (this.#running !== undefined) {
      this.#running.abort();
      return;
    }
    this.#typed = "";
    // Moves to the end of the line, and removes it.
    this.#lines.write(null, { ctrl: true, name: "e" });
    this.#lines.write(null, { ctrl: true, name: "u" });
    this.#options.output.write("\n");
    this.ask();
  }

  async #obey(command: string): Promise<"go on" | "leave"> {
    if (command === ".exit" || command === ".quit") return "leave";
    if (command === ".help") await this.#write(HELP);
    else if (command === ".tables") await this.#showTables();
    else await this.#write(`unknown command ${command}. Type .help for a list\n`);
    return "go on";
  }

  async #showTables(): Promise<void> {
    await this.#write(`${holdingsText(this.#shell.holdings)}\n\n`);
    await this.#answer("SHOW TABLES");
  }

  async #answer(sql: string): Promise<void> {
    const note = (message: string) => void this.#write(`${message}\n`);
    this.#running = new AbortController();
    try {
      for await (const result of this.#shell.run(sql, this.#running.signal)) {
        await printResult(result, this.#options.format, this.#write, note);
      }
    } catch (error) {
      // A fault of one statement does not end the session.
      if (!(error instanceof PipelineError) || this.#options.signal.aborted) throw error;
      await this.#write(
        error.code === "CANCELLED" ? "cancelled\n" : `error ${error.code}: ${error.message}\n`,
      );
    } finally {
      this.#running = undefined;
    }
  }
}

/** The files of the views, as text. */
export function holdingsText(holdings: readonly Holding[]): string {
  return textTable(holdings.map(({ view, holds, newest }) => ({ view, holds, newest })));
}
