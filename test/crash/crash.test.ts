import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { pipeline } from "../cli/command.js";
import { PLACE } from "../place.js";
import { crash } from "./crash.js";
import { pointsOf, type Moment } from "./killing.js";
import { Lake, type PassageKind } from "./lake.js";
import { faultsAgainst, look } from "./seen.js";
import { Tally } from "./tally.js";

/** How many kills there are in each place: few unless more are asked for. */
const KILLS = Number(process.env["CRASH_KILLS"] ?? 8);
const KILLS_AT_TIMES = Math.round(KILLS / 8);
const RUNS_KILLED_TWICE = Math.round(KILLS / 16);
const KILLS_AT_POINTS = KILLS - KILLS_AT_TIMES - 2 * RUNS_KILLED_TWICE;
const LIMIT_MILLISECONDS = 120_000 + KILLS * 10_000;

/** The points that a kind of run passes, and how long it takes. */
interface Course {
  readonly points: readonly string[];
  readonly milliseconds: number;
}

/** A kind of run, and when it is killed. */
interface Attempt {
  readonly kind: PassageKind;
  readonly moments: readonly Moment[];
}

const tally = new Tally();
const courses = new Map<PassageKind, Course>();
let lake: Lake;

beforeAll(async () => {
  lake = await Lake.make();
  for (const kind of ["first run", "run", "failing run", "curate", "aggregate", "publish"] as const)
    courses.set(kind, await learnCourse(kind));
}, LIMIT_MILLISECONDS);

afterAll(() => tally.report(`killed at any moment, ${PLACE}`));

describe("readers see whole states, and the next run ends normally, if a run is killed", () => {
  it("at a point that it passes", () => expectNoFaults(atPoints()), LIMIT_MILLISECONDS);

  it("at any time", () => expectNoFaults(atTimes()), LIMIT_MILLISECONDS);

  it("and killed again in the next run", () => expectNoFaults(twice()), LIMIT_MILLISECONDS);
});

async function expectNoFaults(attempts: readonly Attempt[]): Promise<void> {
  const faults: string[] = [];
  for (const { kind, moments } of attempts) {
    const found = await crash(await lake.passage(kind), moments, tally);
    tally.broke(found.length);
    faults.push(...found);
    // What comes next shall not suffer from it.
    if (found.length > 0) lake = await Lake.make();
  }
  expect(faults).toEqual([]);
}

/** Every point of every kind of run, or as many of them as are asked for. */
function atPoints(): Attempt[] {
  const from = (first: string, kind: PassageKind) => {
    const { points } = courseOf(kind);
    return points.slice(points.indexOf(first)).map((point) => ({ kind, moments: [{ point }] }));
  };
  // Until then they are as any other run.
  const stages = (["curate", "aggregate", "publish"] as const).map((stage) => from("all prepared", stage));
  const failing = from("all committed", "failing run");
  return spread(
    [
      ...from("database opened", "first run"),
      // One after the other they go from the one state to the other, and back.
      ...from("database opened", "run").flatMap((attempt) => [attempt, attempt]),
      // Each stage gives the next one something to do.
      ...Array.from({ length: Math.max(...stages.map(({ length }) => length)) }, (_, index) =>
        stages.flatMap((attempts) => attempts[index] ?? []),
      ).flat(),
      ...failing,
    ],
    KILLS_AT_POINTS,
  );
}

function atTimes(): Attempt[] {
  return Array.from({ length: KILLS_AT_TIMES }, (_, index) => {
    const kind = (["run", "first run", "failing run"] as const)[index % 3] ?? "run";
    return { kind, moments: [timeIn(kind, (index + Math.random()) / KILLS_AT_TIMES)] };
  });
}

function twice(): Attempt[] {
  return Array.from({ length: RUNS_KILLED_TWICE }, (_, index) => {
    const kind = (["run", "failing run", "first run"] as const)[index % 3] ?? "run";
    // A first run that is run again finds some of its tables made, and does not pass all points once more.
    const second = kind === "first run" ? timeIn(kind, Math.random()) : pointIn(kind);
    return { kind, moments: [index % 2 === 0 ? pointIn(kind) : timeIn(kind, Math.random()), second] };
  });
}

function timeIn(kind: PassageKind, share: number): Moment {
  return { milliseconds: courseOf(kind).milliseconds * share };
}

function pointIn(kind: PassageKind): Moment {
  const { points } = courseOf(kind);
  return { point: points[Math.floor(Math.random() * points.length)] ?? "" };
}

function courseOf(kind: PassageKind): Course {
  const course = courses.get(kind);
  if (course === undefined) throw new Error(`no ${kind} has been made yet`);
  return course;
}

/** Runs it undisturbed. */
async function learnCourse(kind: PassageKind): Promise<Course> {
  const { after, args, mend, workspace } = await lake.passage(kind);
  const started = performance.now();
  const points = await pointsOf(workspace, args);
  const milliseconds = performance.now() - started;
  await mend();
  expect(await pipeline(args, workspace.environment)).toMatchObject({ code: 0, stderr: "" });
  expect(faultsAgainst(await look(workspace.settings), after)).toEqual([]);
  return { points, milliseconds };
}

/** So many items, evenly spread over all; each of them more than once where there are fewer. */
function spread<Item>(items: readonly Item[], count: number): Item[] {
  return Array.from(
    { length: count },
    (_, index) => items.slice(Math.floor((index * items.length) / count))[0],
  ).filter((item) => item !== undefined);
}
