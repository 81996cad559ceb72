import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import express, { type RequestHandler } from "express";
import { projectFolder } from "../../base/files.js";

/** The folder of the pages' styles and scripts, which the build makes from `pages/browser` and `pages/pages.css`. */
const FOLDER = path.join(projectFolder(), "dist/api/pages");

/** Their address. */
export const ASSETS = "/assets";

const versions = new Map<string, string>();

/** The address of a style or script. It changes with the content, so that browsers may cache it forever. */
export function assetAddress(file: string): string {
  return `${ASSETS}/${file}?v=${versionOf(file)}`;
}

/** Serves the styles and scripts. */
export function serveAssets(): RequestHandler {
  return express.static(FOLDER, { immutable: true, maxAge: "1y", index: false, redirect: false });
}

function versionOf(file: string): string {
  const known = versions.get(file);
  if (known !== undefined) return known;
  const content = readFileSync(path.join(FOLDER, file));
  const version = createHash("sha256").update(content).digest("base64url").slice(0, 12);
  versions.set(file, version);
  return version;
}
