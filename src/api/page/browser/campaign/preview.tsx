import type { VNode } from "preact";
import { counting } from "../../../../base/words.js";
import { Failure } from "./failure.js";
import { fileSize } from "./file-size.js";
import { LinesTable } from "./lines-table.js";
import { summaryInWords } from "./summary-in-words.js";
import type { PreviewStage } from "./use-preview.js";

interface PreviewProps {
  readonly file: File;
  readonly stage: PreviewStage;
  readonly onRetry: () => void;
  readonly onPrice: () => void;
}

/** The first lines of a file as they are answered, and the button that has all of them priced. */
export function Preview({ file, stage, onRetry, onPrice }: PreviewProps): VNode {
  if (stage.name === "failed") return <Failure trouble={stage.trouble} onRetry={onRetry} />;
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
