/** An error that an engine gave of a statement. Who knows what was asked turns it into a fault of a file or of a model. */
export abstract class EngineError extends Error {
  /** Whether the engine has found a fault of its own, and refuses every further statement. */
  abstract readonly isFatal: boolean;

  get onOneLine(): string {
    return this.message.replace(/\s*\n\s*/g, " ");
  }
}
