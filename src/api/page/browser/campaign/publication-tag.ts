import { ask, type Asking } from "./ask.js";
import { Trouble } from "./trouble.js";

/** What changes when an execution date is published anew. The service knows it even while its database is away. */
export async function publicationTag(executionDate: string, asking: Asking): Promise<string> {
  const query = new URLSearchParams({ execution_date: executionDate });
  return ask(
    `/v1/segments?${query.toString()}`,
    { method: "HEAD" },
    (response) => Promise.resolve(response.headers.get("ETag") ?? ""),
    asking,
  );
}

/** The answers were published anew while a file was priced: some of its lines may have old ones. */
export class PublishedAnew extends Trouble {
  constructor() {
    super(
      "The answers have changed meanwhile",
      "Their date was published anew while the file was priced, so its lines may not go together. Price it again.",
    );
  }
}
