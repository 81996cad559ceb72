import type { ComponentChildren, VNode } from "preact";
import { useRef, useState } from "preact/hooks";
import { SEGMENT_KINDS } from "../../../../voucher/segment-kinds.js";
import { KIND_NAMES } from "../../parts.js";
import type { Options } from "./ask-service.js";
import { fileSize } from "./stage-words.js";

interface ChooseFileProps {
  readonly file: File | undefined;
  readonly isDisabled: boolean;
  readonly onChoose: (file: File | undefined) => void;
}

/** A place that a file is dropped on, and a field that one is chosen in. */
export function ChooseFile({ file, isDisabled, onChoose }: ChooseFileProps): VNode {
  const [isOver, setIsOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setIsOver(false);
    const files = event.dataTransfer?.files;
    if (isDisabled || files === undefined || files.length === 0) return;
    // The field says what was dropped, too.
    if (input.current !== null) input.current.files = files;
    onChoose(files[0]);
  };
  return (
    <div
      class={isOver ? "drop over" : "drop"}
      onDragOver={() => {
        setIsOver(true);
      }}
      onDragLeave={() => {
        setIsOver(false);
      }}
      onDrop={drop}
    >
      <label for="file">File of customers</label>
      <input
        ref={input}
        id="file"
        type="file"
        accept=".csv,.gz,text/csv,application/gzip"
        aria-describedby="file-note"
        disabled={isDisabled}
        onChange={({ currentTarget }) => {
          onChoose(currentTarget.files?.[0]);
        }}
      />
      <small id="file-note">
        {file === undefined
          ? "Choose it, or drop it here: CSV of any length, also compressed by gzip"
          : fileSize(file.size)}
      </small>
    </div>
  );
}

interface OptionFieldsProps {
  readonly options: Options;
  readonly isDisabled: boolean;
  readonly onChange: (options: Options) => void;
}

/** How a file is to be answered. */
export function OptionFields({ options, isDisabled, onChange }: OptionFieldsProps): VNode {
  return (
    <fieldset class="asking" disabled={isDisabled}>
      <legend>How to answer</legend>
      <Field id="segment_name" label="Lines that name no segment" note="What their customers are judged by">
        <select
          id="segment_name"
          aria-describedby="segment_name-note"
          onChange={({ currentTarget }) => {
            const segmentName = SEGMENT_KINDS.find((kind) => kind === currentTarget.value) ?? "";
            onChange({ ...options, segmentName });
          }}
        >
          <option value="">are faulty</option>
          {SEGMENT_KINDS.map((kind) => (
            <option key={kind} value={kind} selected={kind === options.segmentName}>
              {KIND_NAMES[kind].toLowerCase()}
            </option>
          ))}
        </select>
      </Field>
      <Field id="as_of" label="As of" note="The day that days since the last order are counted to">
        <input
          id="as_of"
          type="date"
          aria-describedby="as_of-note"
          value={options.asOf}
          onChange={({ currentTarget }) => {
            onChange({ ...options, asOf: currentTarget.value });
          }}
        />
      </Field>
      <Field
        id="min_assignments"
        label="Fewest vouchers"
        note="A segment with fewer has no answer; 1 unless given"
      >
        <input
          id="min_assignments"
          type="number"
          min="1"
          step="1"
          aria-describedby="min_assignments-note"
          value={options.minAssignments}
          onInput={({ currentTarget }) => {
            onChange({ ...options, minAssignments: currentTarget.value });
          }}
        />
      </Field>
      <p class="field check">
        <input
          id="fallback"
          type="checkbox"
          checked={options.fallsBack}
          onChange={({ currentTarget }) => {
            onChange({ ...options, fallsBack: currentTarget.checked });
          }}
        />
        <label for="fallback">Where the segment has no answer, what the country uses most</label>
      </p>
    </fieldset>
  );
}

interface FieldProps {
  readonly id: string;
  readonly label: string;
  readonly note: string;
  readonly children: ComponentChildren;
}

function Field({ id, label, note, children }: FieldProps): VNode {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children}
      <small id={`${id}-note`}>{note}</small>
    </div>
  );
}
