import { describe, expect, it } from "@jest/globals";
import { putVouchers, voucher } from "../raw-vouchers.js";
import { putFile } from "../storage.js";
import { makeFolder, makeWorkspace } from "../workspace.js";
import type { Ended } from "./command.js";
import { pipeline } from "./warm-command.js";

/** Asks the doctor in a folder with these files, and gives what it says of settings and the profile. */
async function doctor(
  files: Record<string, string>,
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<Ended & { readonly folder: string; readonly profile: string | undefined }> {
  const folder = await makeFolder();
  for (const [name, content] of Object.entries(files)) await putFile(folder, name, content);
  const ended = await pipeline(["doctor", "--json", ...args], environment, folder);
  const checks = ended.stdout.startsWith("{")
    ? (JSON.parse(ended.stdout) as { checks: { check: string; message: string }[] }).checks
    : [];
  return { ...ended, folder, profile: checks.find(({ check }) => check === "profile")?.message };
}

describe("--profile", () => {
  it("reads its file on top of .env, and the environment on top of both", async () => {
    const files = {
      ".env": "RAW_ZONE=/one/raw\nCURATED_ZONE=/one/curated\nPROVISION_ZONE=/one/provision\n",
      ".env.dev": "CURATED_ZONE=/dev/curated\nPROVISION_ZONE=/dev/provision\n",
    };
    const { profile, folder } = await doctor(files, ["--profile", "dev"], {
      PROVISION_ZONE: "/own/provision",
    });
    expect(profile).toBe(
      "dev, raw zone /one/raw, curated zone /dev/curated, provision zone /own/provision, " +
        `database sqlite://${folder}/data/consumption.db`,
    );
  });

  it("can be an environment variable, which the option overrides", async () => {
    const files = { ".env.dev": "RAW_ZONE=/dev/raw\n", ".env.prod": "RAW_ZONE=/prod/raw\n" };
    const environment = { PIPELINE_PROFILE: "dev" };
    expect((await doctor(files, [], environment)).profile).toMatch(/^dev, raw zone \/dev\/raw,/);
    expect((await doctor(files, ["--profile", "prod"], environment)).profile).toMatch(
      /^prod, raw zone \/prod\/raw,/,
    );
  });

  it("lets the doctor name the database without its password", async () => {
    const files = { ".env.dev": "CONSUMPTION_URL=mysql://user:secret@127.0.0.1:1/answers\n" };
    const { profile, stdout } = await doctor(files, ["--profile", "dev"]);
    expect(profile).toMatch(/, database mysql:\/\/127\.0\.0\.1:1\/answers$/);
    expect(stdout).not.toContain("secret");
  });

  it("takes a secret of the profile also if .env has it in a file", async () => {
    const files = {
      ".env": "CONSUMPTION_URL_FILE=/run/secrets/url\n",
      ".env.dev": "CONSUMPTION_URL=sqlite:dev.db\n",
    };
    expect((await doctor(files, ["--profile", "dev"])).profile).toMatch(/dev\.db$/);
  });

  it("is refused without its file, with a remedy", async () => {
    const { code, folder, stderr } = await doctor({}, ["--profile", "dev"]);
    expect(code).toBe(2);
    const { error } = JSON.parse(stderr) as { error: { message: string } };
    expect(error.message).toBe(
      `the profile dev has no file ${folder}/.env.dev. Create it with the settings that differ from .env`,
    );
  });

  it("is refused if its name could be a path", async () => {
    expect((await doctor({}, ["--profile", "../dev"])).stderr).toContain(
      "must have only letters, digits, _ and -",
    );
  });

  it("is refused without a name", async () => {
    const { code, stderr } = await doctor({}, ["--profile", ""]);
    expect(code).toBe(2);
    expect(stderr).toContain("--profile needs the name of a profile");
  });

  it("is passed on to the process that a time limit watches", async () => {
    const { environment, settings } = await makeWorkspace();
    await putVouchers(settings.zones.raw, [voucher()]);
    const folder = await makeFolder();
    const lines = Object.entries(environment).map(([name, value]) => `${name}=${value}\n`);
    await putFile(folder, ".env.dev", lines.join(""));
    const words = ["-e", "2020-05-29", "--timeout", "2m", "--profile", "dev"];
    expect((await pipeline(words, {}, folder)).code).toBe(0);
  });
});
