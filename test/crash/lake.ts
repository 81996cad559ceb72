import { createHash } from "node:crypto";
import type { Stage } from "../../src/record/stages.js";
import { parseExecutionDate } from "../../src/voucher/execution-date.js";
import { partitionFolder } from "../../src/zones/zone.js";
import { readTable } from "../consumption/reading.js";
import { EXECUTION_DATE, run } from "../run/running.js";
import { putFile } from "../storage.js";
import { makeWorkspace, type Workspace } from "../workspace.js";
import { otherVariant, putVariant, type Variant } from "./raw-variants.js";
import { look, NOTHING, type Seen } from "./seen.js";

/** What is run, over what is there. A failing run cannot publish, so that it gives back what it has committed. */
export type PassageKind = "first run" | "run" | "failing run" | Stage;

/** A command that takes what readers see from one state to another. */
export interface Passage {
  readonly kind: PassageKind;
  readonly workspace: Workspace;
  readonly args: readonly string[];
  readonly before: Seen;
  /** The newest of all that readers may see while the command is under way. */
  readonly furthest: Seen;
  /** What they see when the command has been run again, and nothing has disturbed it. */
  readonly after: Seen;
  /** With what the command ends unless it is killed. */
  readonly exitCode: number;
  /** Takes away what has the command fail. */
  readonly mend: () => Promise<void>;
}

/** What the curated zone, the provision zone and the database are made of. */
type Made = readonly [curated: Variant, provision: Variant, database: Variant];

const NEIGHBOUR = "2020-05-28";
/** Every so many runs find files in partitions that do not belong there. */
const STRANGERS_EVERY = 3;

/** A workspace with two execution dates in it, of which runs take one from state to state and leave the other alone. */
export class Lake {
  readonly #workspace: Workspace;
  readonly #states: Readonly<Record<Variant, Seen>>;
  readonly #afterFirstRun: Seen;
  #made: Made = ["two", "two", "two"];
  #passages = 0;

  private constructor(workspace: Workspace, states: Record<Variant, Seen>, afterFirstRun: Seen) {
    this.#workspace = workspace;
    this.#states = states;
    this.#afterFirstRun = afterFirstRun;
  }

  /** Learns the states from runs that nothing disturbs. */
  static async make(): Promise<Lake> {
    const fresh = await makeFreshWorkspace();
    await run(fresh.settings);
    const workspace = await makeFreshWorkspace();
    const { settings } = workspace;
    await run(settings, NEIGHBOUR);
    await run(settings);
    const one = await look(settings);
    await putVariant(settings.zones.raw, "two");
    await run(settings);
    return new Lake(workspace, { one, two: await look(settings) }, await look(fresh.settings));
  }

  /** Makes everything ready for a command that is about to be run. */
  async passage(kind: PassageKind): Promise<Passage> {
    if (kind === "first run") {
      return passageOf(kind, await makeFreshWorkspace(), NOTHING, this.#afterFirstRun);
    }
    await this.#settleFor(kind);
    const before = this.#state();
    this.#made = madeBy(kind, this.#made);
    await putVariant(this.#workspace.settings.zones.raw, this.#made[0]);
    const passage = passageOf(kind, this.#workspace, before, this.#state());
    this.#passages += 1;
    if (kind === "failing run") return failing(passage);
    return kind === "run" && this.#passages % STRANGERS_EVERY === 0 ? amongStrangers(passage) : passage;
  }

  /** Runs, undisturbed, what has to come before a command so that it has something to change. */
  async #settleFor(kind: PassageKind): Promise<void> {
    const [curated, provision, database] = this.#made;
    const isSettled = {
      aggregate: curated !== provision && provision === database,
      publish: curated === provision && provision !== database,
      other: curated === provision && provision === database,
    }[kind === "aggregate" || kind === "publish" ? kind : "other"];
    if (isSettled) return;
    const { settings } = this.#workspace;
    await run(settings);
    this.#made = [curated, curated, curated];
    if (kind !== "aggregate" && kind !== "publish") return;
    const next = otherVariant(curated);
    await putVariant(settings.zones.raw, next);
    await run(settings, EXECUTION_DATE, kind === "aggregate" ? ["curate"] : ["curate", "aggregate"]);
    this.#made = kind === "aggregate" ? [next, curated, curated] : [next, next, curated];
  }

  #state(): Seen {
    const [curated, provision, database] = this.#made;
    const files = {
      ...filesOf("curated", this.#states[curated]),
      ...filesOf("provision", this.#states[provision]),
    };
    return { ...this.#states[database], files };
  }
}

async function makeFreshWorkspace(): Promise<Workspace> {
  const workspace = await makeWorkspace();
  await putVariant(workspace.settings.zones.raw, "one");
  return workspace;
}

/** What is made of what when a command has run. */
function madeBy(kind: PassageKind, [curated, provision, database]: Made): Made {
  const next = otherVariant(curated);
  switch (kind) {
    case "curate":
      return [next, provision, database];
    case "aggregate":
      return [curated, curated, database];
    case "publish":
      return [curated, provision, provision];
    default:
      return [next, next, next];
  }
}

function filesOf(zone: string, { files }: Seen): Seen["files"] {
  return Object.fromEntries(Object.entries(files).filter(([file]) => file.startsWith(`${zone}/`)));
}

function passageOf(kind: PassageKind, workspace: Workspace, before: Seen, after: Seen): Passage {
  const isStage = kind === "curate" || kind === "aggregate" || kind === "publish";
  const args = [...(isStage ? [kind] : []), "-e", EXECUTION_DATE];
  const mend = () => Promise.resolve();
  return { kind, workspace, args, before, furthest: after, after, exitCode: 0, mend };
}

/** The database refuses a row when others have been written already, and all files are in their places. */
async function failing(passage: Passage): Promise<Passage> {
  const { settings } = passage.workspace;
  const refusal = settings.consumptionUrl.startsWith("mysql:")
    ? "FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'refused'"
    : "BEGIN SELECT RAISE(ABORT, 'refused'); END";
  await readTable(settings, `CREATE TRIGGER refuse BEFORE INSERT ON voucher_recency_most_used ${refusal}`);
  return {
    ...passage,
    furthest: { ...passage.after, database: passage.before.database },
    exitCode: 2,
    mend: async () => {
      await readTable(settings, "DROP TRIGGER refuse");
    },
  };
}

/** Puts files into partitions that a run takes away with the old state. */
async function amongStrangers(passage: Passage): Promise<Passage> {
  const { zones } = passage.workspace.settings;
  const { partitionKey } = parseExecutionDate(EXECUTION_DATE);
  const files: Record<string, string> = {};
  for (const [zone, table] of [
    ["curated", "vouchers"],
    ["provision", "voucher_recency_most_used"],
  ] as const) {
    const name = `${partitionFolder({ table, partitionKey })}/stranger.parquet`;
    await putFile(zones[zone], name, name);
    files[`${zone}/${name}`] = createHash("sha256").update(name).digest("hex");
  }
  return { ...passage, before: { ...passage.before, files: { ...passage.before.files, ...files } } };
}
