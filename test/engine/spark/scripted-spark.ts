import { once } from "node:events";
import type { Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { afterAll } from "@jest/globals";
import type { SparkSettings } from "../../../src/settings/settings.js";

/** What the server says of a statement when it is asked how it is doing. */
export interface Said {
  /** As HiveServer2 numbers them: 1 is running, 2 finished, 3 cancelled, 5 failed. */
  readonly operationState: number;
  readonly errorMessage?: string;
  readonly sqlState?: string;
}

export const FINISHED: Said = { operationState: 2 };

/** A server that computes nothing, and says what a test has it say. */
export interface ScriptedSpark {
  readonly settings: SparkSettings;
  /** All statements that came, and `cancel` and `close` with those that were cancelled and closed. */
  readonly asked: string[];
}

const servers: Server[] = [];

afterAll(() => {
  for (const server of servers) server.close().closeAllConnections();
});

/**
 * @param say what is said of a statement when it is asked for the first, second, … time.
 * @param version what the statement gives that asks for it.
 * @param defaults of the server, which `SET` gives.
 */
export async function scriptedSpark(
  say: (statement: string, time: number) => Said,
  version = "4.0.0 revision",
  defaults: Readonly<Record<string, string>> = {},
): Promise<ScriptedSpark> {
  const asked: string[] = [];
  const times: number[] = [];
  const statements: string[] = [];
  const status = { statusCode: 0 };
  const numberOf = ({ operationHandle }: Asking) => operationHandle.operationId.guid[0] ?? 0;
  const isOfDefaults = (asking: Asking) => statements[numberOf(asking)] === "SET";
  const answers: Record<string, (asking: never) => object> = {
    OpenSession: () => ({
      status,
      serverProtocolVersion: 7,
      sessionHandle: { sessionId: handle(0) },
    }),
    CloseSession: () => ({ status }),
    ExecuteStatement: ({ statement }: { readonly statement: string }) => {
      asked.push(statement);
      const operationId = handle(statements.push(statement) - 1);
      return { status, operationHandle: { operationId, operationType: 0, hasResultSet: true } };
    },
    GetOperationStatus: (asking: Asking) => {
      const number = numberOf(asking);
      times[number] = (times[number] ?? 0) + 1;
      return { status, ...say(statements[number] ?? "", times[number]) };
    },
    GetResultSetMetadata: (asking: Asking) => {
      const names = isOfDefaults(asking) ? ["key", "value"] : ["version"];
      return { status, schema: { columns: names.map(textColumn) } };
    },
    FetchResults: (asking: Asking & { readonly orientation: number }) => {
      const rows = isOfDefaults(asking) ? Object.entries(defaults) : [[version]];
      const told = asking.orientation === FETCH_FIRST ? rows : [];
      const columns = (isOfDefaults(asking) ? [0, 1] : [0]).map((column) => ({
        stringVal: { values: told.map((row) => row[column]), nulls: Buffer.alloc(1) },
      }));
      return { status, hasMoreRows: false, results: { startRowOffset: 0, rows: [], columns } };
    },
    CancelOperation: (asking: Asking) => {
      asked.push(`cancel ${statements[numberOf(asking)] ?? ""}`);
      return { status };
    },
    CloseOperation: (asking: Asking) => {
      asked.push(`close ${statements[numberOf(asking)] ?? ""}`);
      return { status };
    },
  };
  const server = thrift.createWebServer({
    services: {
      "/cliservice": {
        transport: thrift.TBufferedTransport,
        protocol: thrift.TBinaryProtocol,
        processor: hive.thrift.TCLIService,
        handler: Object.fromEntries(
          Object.entries(answers).map(([name, answer]) => [name, calledBack(answer)]),
        ),
      },
    },
  });
  servers.push(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const account = { user: "etl", password: undefined };
  const transport = { tls: false, httpPath: "cliservice", caBundle: undefined, kerberos: undefined };
  return { asked, settings: { kind: "spark", host: "127.0.0.1", port, ...account, ...transport } };
}

const FETCH_FIRST = 4;

function textColumn(columnName: string, index: number): object {
  return { columnName, typeDesc: { types: [{ primitiveEntry: { type: 7 } }] }, position: index + 1 };
}

interface Asking {
  readonly operationHandle: { readonly operationId: { readonly guid: Buffer } };
}

/** What thrift calls: with two parameters it gives its answer to the second one. */
function calledBack(answer: (asking: never) => object) {
  return (asking: never, done: (error: null, answer: object) => void) => {
    done(null, answer(asking));
  };
}

function handle(number: number) {
  return { guid: Buffer.alloc(16, number), secret: Buffer.alloc(16) };
}

/** hive-driver's own library, which makes servers, too. */
const require = createRequire(createRequire(import.meta.url).resolve("hive-driver"));
const hive = require("hive-driver") as { readonly thrift: { readonly TCLIService: object } };
const thrift = require("thrift") as {
  readonly TBufferedTransport: object;
  readonly TBinaryProtocol: object;
  createWebServer(options: object): Server;
};
