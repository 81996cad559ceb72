import type { Request, Response } from "express";
import * as z from "zod";
import { PAGES } from "../pages/addresses.js";
import { assetAddress } from "../pages/assets.js";
import { JSON_TYPE } from "./bodies.js";
import { prefersPage, securePage } from "./guards.js";
import { operation, type Operation } from "./operation.js";
import { helpAddress, Problem, PROBLEMS, type ProblemType } from "./problems.js";
import { belowPrefix } from "./proxy.js";

/** Sends a browser a page with the fault, its place and its remedy. */
export function sendProblemPage(request: Request, response: Response, problem: Problem): void {
  const { type, detail, errors } = problem;
  const { status, title } = PROBLEMS[type];
  const fields = errors.map(
    ({ field, message }) => `<li><code>${escaped(field)}</code> ${escaped(message)}</li>`,
  );
  sendPage(request, response.status(status), title, [
    `<p class="lead">${escaped(detail)}</p>`,
    ...(fields.length === 0 ? [] : [`<ul>${fields.join("")}</ul>`]),
    `<p><a href="${helpAddress(type)}">Meaning of this problem type</a></p>`,
  ]);
}

const TYPES = Object.keys(PROBLEMS) as ProblemType[];

/** `GET /problems/{type}`: the meaning of a problem type. */
export function explainProblem(): Operation {
  return operation({
    method: "get",
    path: "/problems/{type}",
    name: "explainProblem",
    summary: "The meaning of a problem type, with its remedy",
    tag: "Operations",
    parameters: z.strictObject({
      type: z
        .string()
        .max(64)
        .meta({ description: "The end of the type of a problem document", example: "stale-cursor" }),
    }),
    answers: {
      [JSON_TYPE]: {
        schema: z.object({ type: z.enum(TYPES), status: z.int(), title: z.string(), meaning: z.string() }),
      },
      "text/html": {
        schema: z.string().meta({ description: "To a client that prefers HTML, as browsers do" }),
      },
    },
    problems: ["not-found"],
    handle: ({ path }, request, response) => {
      const type = TYPES.find((known) => known === path.type);
      if (type === undefined) throw new Problem("not-found", `There is no problem ${path.type}.`);
      const { status, title, meaning } = PROBLEMS[type];
      response.vary("Accept");
      if (!prefersPage(request)) {
        response.json({ type, status, title, meaning });
        return;
      }
      const words = escaped(meaning).replace(/`([^`]*)`/g, "<code>$1</code>");
      sendPage(request, response, title, [
        `<p class="lead">${words.charAt(0).toUpperCase() + words.slice(1)}.</p>`,
        `<p>Programs get the status ${status.toString()} and the type <code>${type}</code>.</p>`,
      ]);
    },
  });
}

/** A page that needs neither a database nor a key, so it works despite any fault. */
function sendPage(request: Request, response: Response, title: string, body: readonly string[]): void {
  securePage(request, response, () => undefined);
  response.vary("Accept").set("Cache-Control", "no-store").type("html");
  const page = [
    '<!doctype html><html lang="en"><head><meta charset="utf-8" />',
    '<meta name="viewport" content="width=device-width, initial-scale=1" />',
    '<meta name="color-scheme" content="light dark" />',
    `<title>${escaped(title)} – vouchers</title>`,
    `<link rel="icon" href="${assetAddress("icon.svg")}" type="image/svg+xml" />`,
    `<link rel="stylesheet" href="${assetAddress("style.css")}" /></head><body>`,
    `<header><p class="brand">Vouchers</p></header><main id="main"><h1>${escaped(title)}</h1>`,
    ...body,
    `<p><a href="${PAGES.answers}">All answers</a></p></main></body></html>`,
  ];
  response.send(belowPrefix(request, page.join("")));
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}
