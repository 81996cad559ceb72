import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { counted, counting, percent } from "../../../../base/words.js";
import type { PricedLine } from "../../../v1/campaign-schema.js";
import { KIND_NAMES, Name, Notice, Scrolling } from "../../parts.js";
import type { PricingError, Wait } from "./ask-service.js";
import { type PreviewStage, useFocus } from "./hooks.js";
import type { Progress } from "./pricing.js";
import { fileSize, summaryInWords, WAITS } from "./stage-words.js";

interface PreviewProps {
  readonly file: File;
  readonly stage: PreviewStage;
  readonly onRetry: () => void;
  readonly onPrice: () => void;
}

/** The first lines of a file as they are answered, and the button that has all of them priced. */
export function Preview({ file, stage, onRetry, onPrice }: PreviewProps): VNode {
  if (stage.name === "failed") return <Failure error={stage.error} onRetry={onRetry} />;
  if (stage.name === "asking")
    return (
      <section class="stage" aria-busy="true">
        <p>Asking for the first lines…</p>
      </section>
    );
  const { lines, summary } = stage.answer;
  if (lines.length === 0)
    return (
      <section class="stage">
        <p>
          <strong>The file has no lines.</strong> There is a header, and nobody to price below it.
        </p>
      </section>
    );
  return (
    <section class="stage" aria-labelledby="preview-heading">
      <h2 id="preview-heading">The first {counting(lines.length, "line")}</h2>
      <p>{summaryInWords(summary)}</p>
      <LinesTable caption={`The first lines of ${file.name}`} lines={lines} />
      <button type="button" onClick={onPrice}>
        Price the whole file
      </button>{" "}
      <small>{fileSize(file.size)}</small>
    </section>
  );
}

interface LinesTableProps {
  readonly caption: string;
  readonly lines: readonly PricedLine[];
}

/** Lines as the service has answered them. */
function LinesTable({ caption, lines }: LinesTableProps): VNode {
  return (
    <Scrolling name={{ label: caption }}>
      <table class="lines">
        <caption>{caption}</caption>
        <thead>
          <tr>
            <th scope="col">Line</th>
            <th scope="col">Customer</th>
            <th scope="col">Country</th>
            <th scope="col">Judged</th>
            <th scope="col">Segment</th>
            <th scope="col" class="number">
              Amount
            </th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <tr key={line.line} class={line.error === null ? undefined : "faulty"}>
              <th scope="row">{counted(line.line)}</th>
              <td>
                <Name>{line.customer_id}</Name>
              </td>
              <td>
                <Name>{line.country_code}</Name>
              </td>
              {line.error === null ? <Answered line={line} /> : <td colSpan={3}>{line.error}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </Scrolling>
  );
}

function Answered({ line }: { readonly line: PricedLine }): VNode {
  const { segment_name, segment, voucher_amount, basis } = line;
  return (
    <>
      <td>
        {Object.entries(KIND_NAMES)
          .find(([kind]) => kind === segment_name)?.[1]
          .toLowerCase()}
      </td>
      <td>{segment}</td>
      <td class="number">
        {voucher_amount === null ? "none" : counted(voucher_amount)}
        {basis === "country" && " of the country"}
      </td>
    </>
  );
}

interface UnderWayProps {
  readonly progress: Progress;
  readonly wait: Wait | undefined;
  readonly onCancel: () => void;
}

/** How far the pricing of a file is. */
export function UnderWay({ progress: { lines, share, seconds }, wait, onCancel }: UnderWayProps): VNode {
  const cancel = useFocus<HTMLButtonElement>();
  return (
    <section class="stage" aria-labelledby="under-way">
      <h2 id="under-way">Pricing the file</h2>
      <progress aria-labelledby="under-way" value={share} max={1} />
      <p class="pace">
        {percent(share)}, {counting(lines, "line")}
        {seconds > 0 && `, ${counted(Math.round(lines / seconds))} a second`}
      </p>
      {wait !== undefined && (
        <p>
          {WAITS[wait.reason]} It goes on in {counting(Math.ceil(wait.seconds), "second")}.
        </p>
      )}
      <button type="button" class="second" ref={cancel} onClick={onCancel}>
        Cancel
      </button>
    </section>
  );
}

/** A pricing that somebody has ended. */
export function Cancelled({ onRestart }: { readonly onRestart: () => void }): VNode {
  const restart = useFocus<HTMLButtonElement>();
  return (
    <section class="stage">
      <p>
        <strong>Cancelled.</strong> Nothing of it is kept.
      </p>
      <button type="button" ref={restart} onClick={onRestart}>
        Price it from the start
      </button>
    </section>
  );
}

interface FailureProps {
  readonly error: PricingError;
  /** How many lines were answered before. */
  readonly lines?: number;
  /** Whether it stands in the place of what had the focus. */
  readonly takesFocus?: boolean;
  readonly onRetry: () => void;
}

/** What went wrong, and how to go on. */
export function Failure({
  error: { title, detail, errors },
  lines = 0,
  takesFocus = false,
  onRetry,
}: FailureProps): VNode {
  const retry = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (takesFocus) retry.current?.focus();
  }, [takesFocus]);
  const more = errors.filter(({ message }) => !detail.includes(message));
  return (
    <section class="stage" aria-label="Failure">
      <Notice kind="bad">
        <strong>{title}.</strong> {detail}
        {lines > 0 &&
          ` The ${counting(lines, "line")} before went well; a line that is named is counted from there.`}
      </Notice>
      {more.length > 0 && (
        <ul>
          {more.map(({ field, message }) => (
            <li key={field}>
              <code>{field}</code> {message}
            </li>
          ))}
        </ul>
      )}
      <p>Choose another file, change how to answer, or try it once more.</p>
      <button type="button" ref={retry} onClick={onRetry}>
        Try again
      </button>
    </section>
  );
}
