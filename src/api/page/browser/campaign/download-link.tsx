import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { fileSize } from "./file-size.js";

/** Gives the priced file to whoever has sent it. */
export function DownloadLink({ csv, name }: { readonly csv: Blob; readonly name: string }): VNode | null {
  const [address, setAddress] = useState<string>();
  useEffect(() => {
    const made = URL.createObjectURL(csv);
    setAddress(made);
    return () => {
      URL.revokeObjectURL(made);
    };
  }, [csv]);
  if (address === undefined) return null;
  return (
    <p>
      <a class="button" href={address} download={pricedName(name)}>
        Download the priced file
      </a>{" "}
      <small>CSV, {fileSize(csv.size)}</small>
    </p>
  );
}

/** `customers.csv.gz` comes back as `customers-priced.csv`. */
function pricedName(name: string): string {
  return `${name.replace(/(\.csv|\.txt)?(\.gz)?$/i, "")}-priced.csv`;
}
