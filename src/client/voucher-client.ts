/** What the service says of a publication. */
export interface Publication {
  /** `2020-05-29T00:00:00Z`. */
  readonly execution_date: string;
  readonly run_id: string;
  readonly sql_version: string;
  readonly sql_hash: string;
  readonly data_hash: string;
  readonly published_at: string;
  /** The rows of each published table. */
  readonly rows: Readonly<Record<string, number>>;
}

export type SegmentName = "frequent_segment" | "recency_segment";

/** A customer to find a voucher for. `total_orders` is needed for frequent_segment, `last_order_ts` for recency_segment. */
export interface Customer {
  /** Comes back with the answer. */
  readonly customer_id?: string | number;
  readonly country_code: string;
  readonly segment_name: SegmentName;
  readonly total_orders?: number;
  /** A day or a moment, in UTC unless it says an offset: `2020-04-20` or `2020-04-20T10:00:00+02:00`. */
  readonly last_order_ts?: string;
}

export interface AnswerOptions {
  /** The day that recency counts to; today unless given. */
  readonly as_of?: string;
  /** Of an older publication. */
  readonly execution_date?: string;
  /** Adds the receipt. */
  readonly explain?: boolean;
  readonly fallback?: "none" | "country";
  /** A segment with fewer vouchers has no answer. */
  readonly min_assignments?: number;
}

export interface Answer {
  readonly customer_id?: string | number | undefined;
  /** In whole currency units; null where the basis is `none`. */
  readonly voucher_amount: number | null;
  readonly segment: string;
  readonly basis: "segment" | "country" | "none";
  readonly execution_date: string;
  readonly receipt?: Receipt | undefined;
}

/** What an answer rests on. */
export interface Receipt {
  readonly segment_name: SegmentName;
  readonly reason: string;
  readonly measure: string;
  readonly measured: number;
  readonly as_of: string;
  readonly segment: SegmentReceipt | null;
  readonly country: {
    readonly voucher_amount: number;
    readonly assignments: number;
    readonly country_assignments: number;
  } | null;
  readonly publication: Publication;
  readonly age_days: number;
}

export interface SegmentReceipt {
  readonly voucher_amount: number;
  readonly assignments: number;
  readonly segment_assignments: number;
  readonly share: number;
  readonly runner_up: { readonly voucher_amount: number; readonly assignments: number } | null;
  readonly margin: number;
  readonly margin_share: number;
}

export interface Segments {
  readonly execution_date: string;
  readonly segments: readonly {
    readonly segment_name: SegmentName;
    readonly description: string;
    readonly measure: string;
    readonly segments: readonly {
      readonly name: string;
      /** Exclusive. */
      readonly above: number | null;
      /** Inclusive. */
      readonly up_to: number | null;
    }[];
  }[];
}

export interface Changes {
  readonly publication: Publication;
  readonly against: Publication | null;
  readonly changes: readonly {
    readonly country_code: string;
    readonly segment_name: SegmentName;
    readonly segment: string;
    readonly before: CellAnswer | null;
    readonly after: CellAnswer | null;
  }[];
}

export interface CellAnswer {
  readonly voucher_amount: number;
  readonly assignments: number;
  readonly segment_assignments: number;
}

/** What is answered to one customer of a campaign. */
export interface PricedLine {
  readonly line: number;
  readonly customer_id: string | number | null;
  readonly country_code: string | null;
  readonly segment_name: string | null;
  readonly segment: string | null;
  readonly voucher_amount: number | null;
  readonly basis: Answer["basis"] | null;
  /** What is wrong with the customer; null where there is an answer. */
  readonly error: string | null;
}

export interface PriceSummary {
  readonly lines: number;
  readonly priced: number;
  readonly without_amount: number;
  readonly faulty: number;
  readonly total_amount: number;
  readonly groups?:
    | readonly {
        /** null: all that the publication does not know. */
        readonly country_code: string | null;
        readonly segment_name: SegmentName;
        readonly segment: string;
        readonly customers: number;
        readonly priced: number;
        readonly total_amount: number;
      }[]
    | undefined;
  readonly groups_omitted?: true | undefined;
}

export type TableRow = Readonly<Record<string, string | number | null>>;

/** A request that the service could not answer, as its problem document says. */
export class VoucherProblem extends Error {
  override readonly name = "VoucherProblem";

  constructor(
    /** Stable, to act on: `urn:voucher-pipeline:problem:no-publication`. */
    readonly type: string,
    readonly status: number,
    detail: string,
    readonly errors: readonly { readonly field: string; readonly message: string }[],
    /** How long to wait before asking again, where the service says so. */
    readonly retryAfterSeconds: number | undefined,
  ) {
    super(detail);
  }
}

export interface ClientOptions {
  /** Where the service is: `http://127.0.0.1:8000`. */
  readonly url: string;
  /** For a service that asks for keys. */
  readonly key?: string;
  /** How long to wait for an answer to its end; 10,000 milliseconds unless given. */
  readonly timeoutMilliseconds?: number;
}

/** Asks the voucher service. It needs nothing but `fetch`: Node 20, any browser. */
export class VoucherClient {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /**
   * The most used voucher of a customer's segment.
   * @throws VoucherProblem
   */
  mostUsed(customer: Customer, options: AnswerOptions = {}): Promise<Answer> {
    return this.#ask<Answer>(`/v1/vouchers/most-used${queryOf(options)}`, customer);
  }

  /** The vouchers of up to 10,000 customers, in their order. */
  mostUsedOfMany(customers: readonly Customer[], options: AnswerOptions = {}): Promise<Answer[]> {
    return this.#ask<Answer[]>(`/v1/vouchers/most-used${queryOf(options)}`, customers);
  }

  /** The vouchers of a campaign of any number of customers, those at fault among them, and what they come to. */
  async priceCampaign(
    customers: readonly Customer[],
    options: Omit<AnswerOptions, "explain"> = {},
  ): Promise<{ lines: PricedLine[]; summary: PriceSummary }> {
    const response = await this.#send(`/v1/campaigns/price${queryOf(options)}`, {
      type: "application/x-ndjson",
      text: customers.map((customer) => `${JSON.stringify(customer)}\n`).join(""),
    });
    const answers = (await response.text()).trimEnd().split("\n");
    const { summary } = JSON.parse(answers.pop() ?? "{}") as { summary: PriceSummary };
    return { lines: answers.map((line) => JSON.parse(line) as PricedLine), summary };
  }

  /** The segments with their bounds. */
  segments(options: Pick<AnswerOptions, "execution_date"> = {}): Promise<Segments> {
    return this.#ask<Segments>(`/v1/segments${queryOf(options)}`);
  }

  /** The answers that differ from those of the publication before, or of another one. */
  changes(executionDate: string, options: { readonly against?: string } = {}): Promise<Changes> {
    return this.#ask<Changes>(
      `/v1/publications/${encodeURIComponent(executionDate)}/changes${queryOf(options)}`,
    );
  }

  /** What was published, the latest execution date first. */
  async *publications(): AsyncGenerator<Publication> {
    for (let before: string | undefined; ;) {
      const page = await this.#ask<{ publications: Publication[]; next_before: string | null }>(
        `/v1/publications${queryOf({ before })}`,
      );
      yield* page.publications;
      if (page.next_before === null) return;
      before = page.next_before;
    }
  }

  /** The rows of a published table, in the order of its key. */
  async *table(name: string, options: Pick<AnswerOptions, "execution_date"> = {}): AsyncGenerator<TableRow> {
    for (let after: string | undefined; ;) {
      const page = await this.#ask<{ rows: TableRow[]; next: string | null }>(
        `/v1/tables/${encodeURIComponent(name)}${queryOf({ ...options, after })}`,
      );
      yield* page.rows;
      if (page.next === null) return;
      after = page.next;
    }
  }

  async #ask<Result>(address: string, body?: unknown): Promise<Result> {
    const json = { type: "application/json", text: JSON.stringify(body) };
    const response = await this.#send(address, body === undefined ? undefined : json);
    return (await response.json()) as Result;
  }

  async #send(address: string, body?: { type: string; text: string }): Promise<Response> {
    const { url, key, timeoutMilliseconds = 10_000 } = this.#options;
    const response = await fetch(url.replace(/\/$/, "") + address, {
      headers: {
        accept: body?.type ?? "application/json",
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { "content-type": body.type }),
      },
      ...(body === undefined ? {} : { method: "POST", body: body.text }),
      signal: AbortSignal.timeout(timeoutMilliseconds),
    });
    if (!response.ok) throw await problemOf(response);
    return response;
  }
}

async function problemOf(response: Response): Promise<VoucherProblem> {
  const document = (await response.json().catch(() => ({}))) as Partial<VoucherProblem> & { detail?: string };
  const retryAfter = response.headers.get("retry-after");
  return new VoucherProblem(
    document.type ?? "about:blank",
    response.status,
    document.detail ?? response.statusText,
    document.errors ?? [],
    retryAfter === null ? undefined : Number(retryAfter),
  );
}

function queryOf(parameters: object): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) query.set(name, String(value));
  }
  return query.size === 0 ? "" : `?${query.toString()}`;
}
