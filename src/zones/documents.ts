import path from "node:path";
import { writeWhole } from "../base/files.js";

/** A place for whole documents. It is no zone: nothing is staged there, and nothing is read back. */
export interface Documents {
  /**
   * Puts a document in the place of the one of its name, if there is one. A reader sees the old one or the new one.
   * @param name a file's name, as `2020-05-29T000000-0aa00fb62f7b.html`.
   */
  put(name: string, document: Document): Promise<void>;
}

export interface Document {
  readonly content: string;
  /** `text/html; charset=utf-8`. */
  readonly contentType: string;
}

/** A folder of this machine, which is made with its first document. */
export function openLocalDocuments(folder: string): Documents {
  return { put: (name, { content }) => writeWhole(path.join(folder, name), content) };
}
