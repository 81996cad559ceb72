import { spawnSync } from "node:child_process";
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { makeFolder, PROJECT } from "../workspace.js";

const read = (file: string) => readFile(path.join(PROJECT, file), "utf8");

/** The zones and reports of docs/operating.md, and where compose.yaml has them. */
const PLACES = [
  ["lake/raw", "data/zone_01_raw"],
  ["lake/curated", "data/zone_02_curated"],
  ["lake/provision", "data/zone_03_provision"],
  ["lake/runs", "data/runs"],
  [":lake", ":data"],
] as const;

describe("the accounts of compose.yaml", () => {
  it("have on S3 the rights of docs/operating.md", async () => {
    const [, documented = ""] = /^```json\n(.*?)^```$/ms.exec(await read("docs/operating.md")) ?? [];
    const expected = PLACES.reduce((text, [from, to]) => text.replaceAll(from, to), documented);
    expect(JSON.parse(await read("docker/minio/pipeline.json"))).toEqual(JSON.parse(expected));
  });

  it("have on MySQL the rights of docs/operating.md", async () => {
    const grants = [...(await read("docs/operating.md")).matchAll(/^GRANT (.*) ON .* TO '(\w+)'@/gm)];
    const made = [
      ...(await read("docker/mysql/accounts.sh")).matchAll(/^create_account (\w+) "?([A-Z, ]+)"?$/gm),
    ];
    expect(grants.map(([, rights, user]) => [user, rights])).toEqual(
      made.map(([, file = "", rights]) => [file.replace("_consumption_url", ""), rights]),
    );
  });

  it("have their own secrets, made once", async () => {
    const folder = path.join(await makeFolder(), "secrets");
    const make = () =>
      spawnSync(path.join(PROJECT, "docker/make-secrets.sh"), [folder], { encoding: "utf8" });
    expect(make()).toMatchObject({ status: 0, stderr: "" });
    const names = (await readdir(folder)).sort();
    expect(names).toEqual((await readdir(path.join(PROJECT, "docker/secrets.example"))).sort());
    const secrets = async () =>
      Promise.all(names.map(async (name) => readFile(path.join(folder, name), "utf8")));
    const first = await secrets();
    expect(new Set(first).size).toBe(names.length);
    for (const secret of first) expect(secret).toMatch(/^(mysql:\/\/\w+:)?[0-9a-f]{40}(@mysql:3306\/db)?\n$/);
    // Docker mounts each file by itself: containers read it, and other users of the machine cannot get at it.
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(path.join(folder, "minio_root_password"))).mode & 0o777).toBe(0o644);
    expect(make()).toMatchObject({ status: 0, stdout: "" });
    expect(await secrets()).toEqual(first);
  });
});
