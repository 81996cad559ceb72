import { randomBytes } from "node:crypto";
import { createWriteStream, rmSync } from "node:fs";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { tryFileLock } from "../../../base/file-lock.js";
import { type Charset, FileLines } from "../../../voucher/file-lines.js";
import { CSV_TYPE } from "../../http/bodies.js";
import { problemOf } from "../../http/error-answers.js";
import { Problem } from "../../http/problems.js";
import type { Services } from "../../http/services.js";
import { bytesOfFile, written } from "../../http/streaming.js";
import { CsvFile } from "../../v1/campaign-formats.js";
import { FilePricing, type Pricing } from "../../v1/campaign-lines.js";
import { CampaignFindings, type Findings } from "./campaign-findings.js";
import { faultOfDisk, MAX_UPLOAD_BYTES, noRoom, type Upload } from "./campaign-upload.js";

const KEPT_MILLISECONDS = 3_600_000;
const MAX_CAMPAIGNS = 100;
const MAX_STORED_BYTES = 1_000_000_000;
const MAX_RESULT_BYTES = 400_000_000;

/** A campaign that somebody has sent, and how far it is. */
export interface StoredCampaign {
  readonly id: string;
  readonly upload: Upload;
  /** The key that it came with. Only this key sees it. */
  readonly owner: string | undefined;
  readonly stage: Stage;
}

type Stage =
  | { readonly name: "pricing"; readonly lines: number; readonly bytesRead: number }
  | { readonly name: "failed"; readonly problem: Problem }
  | { readonly name: "priced"; readonly findings: Findings; readonly file: string; readonly bytes: number };

/** How a campaign is priced. */
export interface CampaignOrder extends Pricing {
  readonly charset: Charset;
}

/** The campaigns of this process: files in a private folder, each for an hour. Campaigns are priced one after the other. */
export class StoredCampaigns {
  readonly #services: Services;
  readonly #campaigns = new Map<string, StoredCampaign & { stage: Stage }>();
  #folder: Promise<string> | undefined;
  #receiving = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor(services: Services) {
    this.#services = services;
    void removeAbandoned();
    // A folder that was new at the first look.
    setTimeout(() => void removeAbandoned(), 2 * NEW_MILLISECONDS).unref();
  }

  /** @returns undefined if there is none, or if it came with another key. */
  find(id: string, owner: string | undefined): StoredCampaign | undefined {
    const found = this.#campaigns.get(id);
    return found?.owner === owner ? found : undefined;
  }

  /**
   * Stores a file, and begins to price it.
   * @param receive stores the file at a path.
   * @returns the campaign, and the end of its pricing.
   * @throws Problem if there is no room, and the faults of `receive`.
   */
  async add(
    owner: string | undefined,
    receive: (file: string) => Promise<{ readonly upload: Upload; readonly order: CampaignOrder }>,
  ): Promise<{ readonly id: string; readonly priced: Promise<void> }> {
    this.#makeRoom();
    const id = randomBytes(16).toString("base64url");
    const folder = await (this.#folder ??= makeFolder());
    const file = path.join(folder, id);
    this.#receiving += 1;
    try {
      const { upload, order } = await receive(file);
      const stage = { name: "pricing", lines: 0, bytesRead: 0 } as const;
      const campaign: StoredCampaign & { stage: Stage } = { id, upload, owner, stage };
      this.#campaigns.set(id, campaign);
      setTimeout(() => {
        this.#remove(campaign);
      }, KEPT_MILLISECONDS).unref();
      const priced = this.#turn.then(() => this.#price(campaign, file, order));
      this.#turn = priced;
      return { id, priced };
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    } finally {
      this.#receiving -= 1;
    }
  }

  /** The oldest campaigns make room for a new one. */
  #makeRoom(): void {
    const isFull = () =>
      this.#campaigns.size + this.#receiving >= MAX_CAMPAIGNS ||
      this.#bytes + (this.#receiving + 1) * MAX_UPLOAD_BYTES > MAX_STORED_BYTES;
    for (const campaign of this.#campaigns.values())
      if (isFull() && campaign.stage.name !== "pricing") this.#remove(campaign);
    if (isFull()) throw noRoom();
  }

  get #bytes(): number {
    return [...this.#campaigns.values()].reduce(
      (sum, { upload, stage }) => sum + (stage.name === "priced" ? stage.bytes : upload.bytes),
      0,
    );
  }

  #remove({ id, stage }: StoredCampaign): void {
    this.#campaigns.delete(id);
    if (stage.name === "priced") void rm(stage.file, { force: true });
  }

  async #price(
    campaign: StoredCampaign & { stage: Stage },
    file: string,
    order: CampaignOrder,
  ): Promise<void> {
    const result = `${file}.csv`;
    try {
      campaign.stage = await this.#pricedStage(campaign, file, result, order);
    } catch (error) {
      const problem = problemOf(error);
      if (problem.type === "internal-error") this.#services.log.error(error);
      campaign.stage = { name: "failed", problem };
      await rm(result, { force: true });
    } finally {
      await rm(file, { force: true });
      if (!this.#campaigns.has(campaign.id)) this.#remove(campaign);
    }
  }

  async #pricedStage(
    campaign: StoredCampaign & { stage: Stage },
    file: string,
    result: string,
    order: CampaignOrder,
  ): Promise<Stage> {
    const begun = performance.now();
    let [bytesRead, bytes] = [0, 0];
    const read = bytesOfFile(file, (more) => (bytesRead += more));
    const csv = new CsvFile(new FileLines(read, order.charset), {
      segmentName: order.segmentName,
      escape: "spreadsheet",
      answer: CSV_TYPE,
    });
    const pricing = new FilePricing(csv, order);
    const findings = new CampaignFindings();
    const output = createWriteStream(result, { flags: "wx", mode: 0o600 });
    let fault: Error | undefined;
    output.once("error", (error) => (fault = error));
    try {
      for await (const { lines, text } of pricing.parts()) {
        findings.add(lines);
        bytes += Buffer.byteLength(text);
        if (bytes > MAX_RESULT_BYTES) throw tooLarge();
        if (this.#services.underWay.isEnding) throw new Problem("not-ready", "The service is ending.");
        await written(output, text);
        campaign.stage = { name: "pricing", lines: pricing.lines, bytesRead };
      }
      await new Promise<void>((resolve) => output.end(resolve));
    } catch (error) {
      output.destroy();
      throw faultOfDisk(fault ?? error);
    }
    if (fault !== undefined) throw faultOfDisk(fault);
    const seconds = (performance.now() - begun) / 1_000;
    return {
      name: "priced",
      findings: findings.of(pricing.summary, order.answers, seconds),
      file: result,
      bytes,
    };
  }
}

function tooLarge(): Problem {
  return new Problem(
    "body-too-large",
    `The result has more than ${MAX_RESULT_BYTES / 1_000_000} MB. Split the file.`,
  );
}

const PREFIX = "voucher-campaigns-";
/** It is held by the process that a folder belongs to. */
const LOCK_FILE = "lock";
/** A folder that was just made may not have its lock yet. */
const NEW_MILLISECONDS = 60_000;

/** Makes a folder that only this user can read. It goes with this process. */
async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), PREFIX));
  const lock = await tryFileLock(path.join(folder, LOCK_FILE)).catch(() => undefined);
  process.once("exit", () => {
    lock?.release();
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Removes the folders that dead processes have left. */
async function removeAbandoned(): Promise<void> {
  const names = await readdir(os.tmpdir()).catch(() => []);
  for (const folder of names
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => path.join(os.tmpdir(), name))) {
    const made = await stat(folder).catch(() => undefined);
    if (made === undefined || Date.now() - made.mtimeMs < NEW_MILLISECONDS) continue;
    // This user can neither read nor remove a folder of another user.
    const lock = await tryFileLock(path.join(folder, LOCK_FILE)).catch(() => undefined);
    if (lock !== undefined) await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    lock?.release();
  }
}
