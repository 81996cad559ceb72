import type { VNode } from "preact";
import { useRef, useState } from "preact/hooks";
import { fileSize } from "./file-size.js";

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
