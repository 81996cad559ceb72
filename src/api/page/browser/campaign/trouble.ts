/** Why a file is not priced, as a person is told. */
export class Trouble extends Error {
  override readonly name = "Trouble";

  constructor(
    readonly title: string,
    /** What is wrong, and what to do. */
    readonly detail: string,
    readonly errors: readonly { readonly field: string; readonly message: string }[] = [],
    options?: ErrorOptions,
  ) {
    super(`${title}: ${detail}`, options);
  }
}

/** The service has refused what was asked. */
export async function refusal(response: Response): Promise<Trouble> {
  const text = await response.text();
  try {
    const { title, detail, errors } = JSON.parse(text) as Partial<Trouble>;
    if (title !== undefined && detail !== undefined) return new Trouble(title, detail, errors);
  } catch {
    // What stands between here and the service has answered, and not by a problem document.
  }
  return new Trouble(
    "The service has not answered",
    `What came was an answer of the status ${response.status}. Try again later.`,
  );
}

/** What went wrong, in words. */
export function troubleOf(error: unknown): Trouble {
  if (error instanceof Trouble) return error;
  return new Trouble(
    "The file cannot be read",
    "It may have changed or gone since it was chosen, or be compressed and broken. Choose it again.",
    [],
    { cause: error },
  );
}
