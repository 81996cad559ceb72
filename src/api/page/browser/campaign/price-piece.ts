import { isWhole } from "./answered-piece.js";
import { ask, type Asking, BrokenOff } from "./ask.js";
import type { Piece } from "./pieces.js";
import { joined } from "./records.js";
import { Trouble } from "./trouble.js";

const ADDRESS = "/v1/campaigns/price";

/**
 * Has the service price a piece of a file.
 * @returns the NDJSON of its answer.
 * @throws Trouble that says what the service has said.
 */
export async function pricePiece(
  { header, records }: Piece,
  query: URLSearchParams,
  asking: Asking,
): Promise<string> {
  const body = joined(header, records);
  try {
    return await ask(
      `${ADDRESS}?${query.toString()}`,
      { method: "POST", body, headers: { "Content-Type": "text/csv", Accept: "application/x-ndjson" } },
      async (response) => whole(await response.text()),
      asking,
    );
  } catch (error) {
    if (error instanceof BrokenOff) throw await reasonOf(body, query, asking);
    throw error;
  }
}

/** An answer without its end is one that broke off. */
function whole(answer: string): string {
  if (!isWhole(answer)) throw new TypeError("the answer has no end");
  return answer;
}

/** A piece that cannot be read on breaks its answer off. Where nothing is sent before its end, the service says why. */
async function reasonOf(body: BodyInit, query: URLSearchParams, asking: Asking): Promise<Trouble> {
  const summary = new URLSearchParams([...query, ["summary", "true"]]);
  const request = { method: "POST", body, headers: { "Content-Type": "text/csv" } };
  try {
    await ask(`${ADDRESS}?${summary.toString()}`, request, (response) => response.text(), asking);
  } catch (error) {
    if (error instanceof Trouble) return error;
    if (!(error instanceof BrokenOff)) throw error;
  }
  return new Trouble(
    "The answer breaks off",
    "The connection to the service ends each time before its answer does. Try again later.",
  );
}
