import { setTimeout as sleep } from "node:timers/promises";
import { cancelled } from "../../base/errors.js";
import type { SparkConnection } from "./connection.js";
import { statementError } from "./spark-errors.js";

/** A statement at the server, as hive-driver has it. */
export type Operation = Awaited<ReturnType<SparkConnection["session"]["executeStatement"]>>;

/** The states of a statement, as HiveServer2 numbers them: finished; initialized, running and pending. */
const FINISHED = 2;
const UNDER_WAY = [0, 1, 7];

/** How often a statement that has failed is asked for the reason: Spark says that it has failed a moment before it knows why. */
const QUESTIONS_WHY = 20;

const CANCEL_MILLISECONDS = 1_000;
const FIRST_PAUSE_MILLISECONDS = 10;
const LONGEST_PAUSE_MILLISECONDS = 500;

/**
 * Runs a statement to its end, and uses what it has given before it is closed. On abort it is cancelled at the server.
 * @throws SparkError where Spark refuses it, PipelineError ENGINE_UNAVAILABLE where the server is lost.
 */
export async function runStatement<Result>(
  connection: SparkConnection,
  sql: string,
  signal: AbortSignal,
  use: (operation: Operation) => Promise<Result>,
): Promise<Result> {
  if (signal.aborted) throw cancelled(signal);
  const { session, answer, farewell } = connection;
  const operation = await answer(session.executeStatement(sql, { runAsync: true }));
  try {
    await untilFinished(connection, operation, signal);
    return await use(operation);
  } catch (error) {
    if (!isAborted(signal)) throw error;
    await farewell(operation.cancel());
    // Spark ends the jobs that the statement has then; one that it was about to start ends when the statement is closed.
    await sleep(CANCEL_MILLISECONDS);
    throw cancelled(signal);
  } finally {
    await farewell(operation.close());
  }
}

/** Asks how a statement is doing, less and less often, until it has ended. */
async function untilFinished(
  { server, answer }: SparkConnection,
  operation: Operation,
  signal: AbortSignal,
): Promise<void> {
  let questionsWhy = 0;
  for (let pause = FIRST_PAUSE_MILLISECONDS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MILLISECONDS)) {
    const { operationState, errorMessage, sqlState } = await answer(operation.status(false));
    if (operationState === FINISHED) return;
    if (operationState === undefined || !UNDER_WAY.includes(operationState)) {
      if (errorMessage != null || ++questionsWhy > QUESTIONS_WHY)
        throw statementError(server, errorMessage, sqlState);
    }
    await sleep(pause, undefined, { signal });
  }
}

/** Asked anew: the signal may have been aborted while the statement ran. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
