import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { PROJECT } from "../workspace.js";
import { pipeline } from "./warm-command.js";

const DOCUMENT = path.join(PROJECT, "docs/cli.md");

/** `UPDATE_SNAPSHOTS=1 npm run jest -- cli/help` writes it. CI never does. */
const isUpdating = process.env["UPDATE_SNAPSHOTS"] === "1" && process.env["CI"] === undefined;

/** The help of the program, under the empty name, and that of each of its commands. */
const helps = new Map<string, string>();

beforeAll(async () => {
  const help = async (words: readonly string[]) => (await pipeline([...words, "--help"])).stdout.trimEnd();
  helps.set("", await help([]));
  for (const command of commandsIn(helps.get("") ?? "")) helps.set(command, await help([command]));
});

/** The names of the commands that a help lists. */
function commandsIn(help: string): string[] {
  const [listed = ""] = help.split("\n\nGlobal options:");
  return [...listed.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name]) => name ?? "");
}

function documentOf(): string {
  const sections = [...helps].map(
    ([command, help]) =>
      `## \`pipeline${command === "" ? "" : ` ${command}`}\`\n\n\`\`\`text\n${help}\n\`\`\``,
  );
  const opening =
    "# The command line\n\n" +
    "This page is the help of each command. A test compares the two. `npx pipeline <command>` and " +
    "`npm run pipeline -- <command>` are the same. `npx pipeline completion >> ~/.bashrc` adds completion for a `pipeline` command.";
  return `${[opening, ...sections].join("\n\n")}\n`;
}

describe("the help", () => {
  it("has every command", () => {
    expect([...helps.keys()]).toEqual(
      expect.arrayContaining(["run", "publish", "rejected", "runs", "diff", "replay", "shell", "completion"]),
    );
  });

  it("lists the commands in groups, and describes each in one line", () => {
    const [listed = ""] = (helps.get("") ?? "").split("\n\nGlobal options:");
    expect([...listed.matchAll(/^([A-Z][a-z ]+):$/gm)].map(([, heading]) => heading)).toEqual([
      "Run",
      "Look",
      "Change",
      "Repair",
      "Set up",
    ]);
    expect(listed.split("\n").filter((line) => line.length > 82)).toEqual([]);
  });

  it("shows required options first, and global options last", () => {
    const headings = [...(helps.get("run") ?? "").matchAll(/^(\w[\w ]+):$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual(["Required", "Options", "Global options", "Examples"]);
  });

  it("has an example for every command", () => {
    const without = [...helps].filter(([, help]) => !help.includes("\nExamples:\n"));
    expect(without.map(([command]) => command)).toEqual([]);
  });

  it("is docs/cli.md", async () => {
    if (isUpdating) await writeFile(DOCUMENT, documentOf());
    expect(await readFile(DOCUMENT, "utf8")).toBe(documentOf());
  });
});

describe("pipeline completion", () => {
  it("prints a script for the shell", async () => {
    expect(await pipeline(["completion"], { SHELL: "/bin/bash" })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("complete -o bashdefault"),
    });
  });

  it.each([
    ["commands", ["pipeline", "re"], ["rejected", "replay"]],
    ["options of a command", ["pipeline", "publish", "--m"], ["--max-changed"]],
  ])("completes %s", async (_what, typed, completions) => {
    const { stdout } = await pipeline(["--get-yargs-completions", ...typed], { SHELL: "/bin/bash" });
    const offered = stdout.split("\n").map((line) => line.trim());
    expect(offered).toEqual(expect.arrayContaining(completions));
  });
});
