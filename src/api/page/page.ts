import type { Request } from "express";
import type { ComponentChildren } from "preact";
import type { Standing } from "./standing.js";

/** What a page says. */
export interface Page {
  /** Its heading, and what the browser calls it. */
  readonly title: string;
  readonly body: ComponentChildren;
  /** 200 unless said. */
  readonly status?: number;
  /** The scripts it has use for, as files of `page/browser`. It says all it can without them. */
  readonly scripts?: readonly string[];
}

/** A page at its address. */
export interface PageRoute {
  readonly path: string;
  /** How the menu calls it; undefined for one that is opened from another page. */
  readonly menu?: string;
  /** Makes it of what a request asks for. What goes wrong is answered as a page, too. */
  readonly open: (request: Request, standing: Standing) => Page | Promise<Page>;
}
