import { beforeAll, describe, expect, it } from "@jest/globals";
import { times, voucher } from "../../raw-vouchers.js";
import { runOver } from "../../run/running.js";
import { makeWorkspace } from "../../workspace.js";
import { serve, type ServedApi } from "../serving.js";

interface Parameter {
  readonly name: string;
  readonly in: "query" | "path";
  readonly required?: boolean;
  readonly example?: string | number;
  readonly schema?: { readonly example?: string | number };
  readonly content?: Record<string, { readonly example?: unknown }>;
}
interface Documented {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Record<string, { readonly example?: unknown }> };
}
type Paths = Record<string, Record<string, Documented>>;

let api: ServedApi;
let paths: Paths;

beforeAll(async () => {
  const { settings } = await runOver([
    ...times(3, voucher({ country_code: 'Côte "d’Ivoire", CI', total_orders: "40" })),
    voucher({ country_code: "Peru", total_orders: "2" }),
  ]);
  api = await serve(settings);
  paths = await pathsOf(api);
});

async function pathsOf({ url }: ServedApi): Promise<Paths> {
  return ((await (await fetch(`${url}/openapi.json`)).json()) as { paths: Paths }).paths;
}

/** What the page at /docs fills in for a parameter; undefined where it leaves the field empty. */
function filledIn({ example, schema, content }: Parameter): string | undefined {
  const json = content?.["application/json"]?.example;
  const value = json === undefined ? (example ?? schema?.example) : JSON.stringify(json);
  return value === undefined ? undefined : String(value);
}

/** The requests that the page at /docs sends of each operation when nobody changes anything. */
function requests(): { address: string; init: RequestInit }[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { parameters = [], requestBody }]) => {
      const query = new URLSearchParams();
      let address = path;
      for (const parameter of parameters) {
        const value = filledIn(parameter);
        if (value === undefined) continue;
        if (parameter.in === "query") query.set(parameter.name, value);
        else address = address.replace(`{${parameter.name}}`, encodeURIComponent(value));
      }
      const whole = `${address}?${query.toString()}`;
      if (requestBody === undefined) return [{ address: whole, init: { method } }];
      return Object.entries(requestBody.content).map(([type, { example }]) => ({
        address: whole,
        init: {
          method,
          headers: { "content-type": type },
          body: typeof example === "string" ? example : JSON.stringify(example),
        },
      }));
    }),
  );
}

describe("the page at /docs", () => {
  it("fills in examples that work with every publication", async () => {
    const asked = requests();
    expect(asked.length).toBeGreaterThan(15);
    const answered = await Promise.all(
      asked.map(async ({ address, init }) => {
        const response = await fetch(api.url + address, {
          ...init,
          method: init.method?.toUpperCase() ?? "GET",
        });
        return { address, status: response.status, text: await response.text() };
      }),
    );
    expect(answered.filter(({ status }) => status !== 200)).toEqual([]);
    const vouchers = answered.filter(({ address }) => /most-used|price/.test(address));
    expect(vouchers).toHaveLength(5);
    for (const { text } of vouchers) expect(text).toContain("2640");
  });

  it("leaves optional parameters empty", () => {
    const optional = Object.values(paths)
      .flatMap((methods) => Object.values(methods))
      .flatMap(({ parameters = [] }) => parameters)
      .filter(
        ({ required, name }) => required !== true && name !== "total_orders" && name !== "last_order_ts",
      );
    expect(optional.length).toBeGreaterThan(20);
    expect(optional.filter((parameter) => filledIn(parameter) !== undefined)).toEqual([]);
  });

  it("works before anything is published", async () => {
    const empty = await serve((await makeWorkspace()).settings);
    expect(Object.keys(await pathsOf(empty))).toEqual(Object.keys(paths));
  });

  it("has a way back, and dark colours", async () => {
    const page = await (await fetch(`${api.url}/docs/`)).text();
    expect(page).toContain('<a href="../">All answers</a>');
    expect(await (await fetch(`${api.url}/docs/dark-mode.js`)).text()).toContain(
      "prefers-color-scheme: dark",
    );
  });
});
