import { render, type VNode } from "preact";
import { useState } from "preact/hooks";
import { CAMPAIGN_ELEMENT, type CampaignScriptData } from "../campaign-script-data.js";
import { type Options, queryOf } from "./campaign/ask-service.js";
import { ChooseFile, OptionFields } from "./campaign/campaign-form.js";
import { Result } from "./campaign/campaign-result.js";
import { Cancelled, Failure, Preview, UnderWay } from "./campaign/campaign-stages.js";
import { usePreview, usePricing } from "./campaign/hooks.js";
import { announcement } from "./campaign/stage-words.js";

// Prices a file of customers. Without this script the page says how a program does it.

const UNLESS_FILLED_IN: Omit<Options, "asOf"> = { segmentName: "", fallsBack: false, minAssignments: "" };

/** Has a file chosen, shows its first lines as they would be answered, prices it, and shows what it comes to. */
function Campaign({ data }: { readonly data: CampaignScriptData }): VNode {
  const { executionDate, today } = data;
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
        {announcement(file !== undefined, preview.stage, pricing.stage)}
      </p>
      {file !== undefined && pricing.stage.name === "waiting" && (
        <Preview file={file} stage={preview.stage} onRetry={preview.retry} onPrice={pricing.start} />
      )}
      {pricing.stage.name === "under way" && (
        <UnderWay progress={pricing.stage.progress} wait={pricing.stage.wait} onCancel={pricing.cancel} />
      )}
      {pricing.stage.name === "cancelled" && <Cancelled onRestart={pricing.start} />}
      {pricing.stage.name === "failed" && (
        <Failure takesFocus error={pricing.stage.error} lines={pricing.stage.lines} onRetry={pricing.start} />
      )}
      {pricing.stage.name === "priced" && file !== undefined && (
        <Result campaign={pricing.stage.campaign} file={file} segments={data.segments} />
      )}
    </>
  );
}

const element = document.getElementById(CAMPAIGN_ELEMENT);
const { given } = element?.dataset ?? {};
if (element !== null && given !== undefined) {
  element.replaceChildren();
  render(<Campaign data={JSON.parse(given) as CampaignScriptData} />, element);
}

// A file that is dropped beside its place must not be opened instead of the page.
for (const name of ["dragover", "drop"])
  window.addEventListener(name, (event) => {
    event.preventDefault();
  });
