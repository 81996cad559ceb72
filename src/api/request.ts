import type { Logger } from "pino";
import type { ApiKey } from "./keys/key-file.js";

declare module "http" {
  /** What the service knows of a request, beside what the client sent. */
  interface IncomingMessage {
    /** Names the request in the log and in its answer. */
    id: string;
    /** The log, where each line names the request. */
    readonly log: Logger;
    /** The key that the request came with, where one was asked for. */
    key: ApiKey | undefined;
  }
}
