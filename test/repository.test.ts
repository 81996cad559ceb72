import { readFile, realpath } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { load } from "js-yaml";
import { PROJECT } from "./workspace.js";

const read = (file: string) => readFile(path.join(PROJECT, file), "utf8");

interface Workflow {
  readonly jobs: { readonly ci: { readonly container: { image: string }; steps: { run?: string }[] } };
}

describe("the repository", () => {
  it("names one Node for developers, and no older one except in engines", async () => {
    const major = Number(await read(".nvmrc"));
    const { devDependencies } = JSON.parse(await read("package.json")) as {
      devDependencies: Record<string, string>;
    };
    const { jobs } = load(await read(".github/workflows/ci.yml")) as Workflow;
    const named = {
      image: await read("Dockerfile"),
      types: devDependencies["@types/node"] ?? "",
      workflow: jobs.ci.container.image,
      container: await read(".devcontainer/devcontainer.json"),
    };
    const majors = Object.entries(named).map(([place, text]) => {
      const [, found = "0"] = /(?:node:|\^)(\d+)/.exec(text) ?? [];
      return [place, Number(found)] as const;
    });
    expect(majors.filter(([, found]) => found < major)).toEqual([]);
    expect(major).toBeGreaterThanOrEqual(24);
  });

  it("has a workflow that runs the same as .ci/run", async () => {
    const { jobs } = load(await read(".github/workflows/ci.yml")) as Workflow;
    expect(jobs.ci.steps.map(({ run }) => run)).toContain(".ci/run");
  });

  it("has its command where npx finds it", async () => {
    const command = await realpath(path.join(PROJECT, "node_modules/.bin/pipeline"));
    expect(path.relative(PROJECT, command)).toBe("dist/cli/main.js");
  });

  it("has a changelog with a section for unreleased changes", async () => {
    const text = await read("CHANGELOG.md");
    expect(text).toMatch(/^## \[Unreleased\]$/m);
    const headings = [...text.matchAll(/^### (.*)$/gm)].map(([, heading]) => heading);
    expect(["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]).toEqual(
      expect.arrayContaining(headings),
    );
  });
});
