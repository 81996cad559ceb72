import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { Given } from "../../campaign/given.js";
import { Cancelled } from "./cancelled.js";
import { ChooseFile } from "./choose-file.js";
import { Failure } from "./failure.js";
import { OptionFields } from "./option-fields.js";
import { Preview } from "./preview.js";
import { type Options, queryOf } from "./query.js";
import { Result } from "./result.js";
import { told } from "./told.js";
import { UnderWay } from "./under-way.js";
import { usePreview } from "./use-preview.js";
import { usePricing } from "./use-pricing.js";

const UNLESS_FILLED_IN: Omit<Options, "asOf"> = { segmentName: "", fallsBack: false, minAssignments: "" };

/** Has a file chosen, shows its first lines as they would be answered, prices it, and shows what it comes to. */
export function Campaign({ given }: { readonly given: Given }): VNode {
  const { executionDate, today } = given;
  const [file, setFile] = useState<File>();
  const [options, setOptions] = useState<Options>({ ...UNLESS_FILLED_IN, asOf: today });
  const query = queryOf(options, executionDate, today);
  const preview = usePreview(file, query.toString());
  const pricing = usePricing(file, query.toString(), executionDate);
  const isUnderWay = pricing.stage.name === "under way";
  return (
    <>
      <form
        class="campaign"
        onSubmit={(event) => {
          event.preventDefault();
        }}
      >
        <ChooseFile file={file} isDisabled={isUnderWay} onChoose={setFile} />
        <OptionFields options={options} isDisabled={isUnderWay} onChange={setOptions} />
      </form>
      <p class="visually-hidden" role="status">
        {told(file !== undefined, preview.stage, pricing.stage)}
      </p>
      {file !== undefined && pricing.stage.name === "waiting" && (
        <Preview file={file} stage={preview.stage} onRetry={preview.retry} onPrice={pricing.start} />
      )}
      {pricing.stage.name === "under way" && (
        <UnderWay progress={pricing.stage.progress} wait={pricing.stage.wait} onCancel={pricing.cancel} />
      )}
      {pricing.stage.name === "cancelled" && <Cancelled onRestart={pricing.start} />}
      {pricing.stage.name === "failed" && (
        <Failure
          takesFocus
          trouble={pricing.stage.trouble}
          lines={pricing.stage.lines}
          onRetry={pricing.start}
        />
      )}
      {pricing.stage.name === "priced" && file !== undefined && (
        <Result campaign={pricing.stage.campaign} file={file} segments={given.segments} />
      )}
    </>
  );
}
