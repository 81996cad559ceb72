import type { ComponentChildren, VNode } from "preact";
import { counted, counting, percent } from "../../../base/words.js";
import { Scrolling } from "../scrolling.js";
import { Name } from "../words.js";
import type { AuditOutcome } from "./run-record.js";

const OUTCOMES: Readonly<Record<AuditOutcome["outcome"], { readonly kind: string; readonly sign: string }>> =
  {
    passed: { kind: "good", sign: "✓" },
    warned: { kind: "warn", sign: "!" },
    failed: { kind: "bad", sign: "✕" },
  };

interface AuditsProps {
  readonly audits: readonly AuditOutcome[];
  /** Of which run they are, where that is not clear. */
  readonly children: ComponentChildren;
}

/** Which promises the tables of a run keep. */
export function Audits({ audits, children }: AuditsProps): VNode {
  const broken = audits.filter(({ outcome }) => outcome !== "passed");
  return (
    <section>
      <h2>Audits</h2>
      {children}
      <p>
        {broken.length === 0
          ? `All ${counting(audits.length, "audit")} passed.`
          : `${counted(audits.length - broken.length)} of ${counting(audits.length, "audit")} passed. ${broken.length === 1 ? "This one" : "These"} did not:`}
      </p>
      {broken.length > 0 && <AuditTable audits={broken} label="Audits that did not pass" />}
      <details>
        <summary>Every audit</summary>
        <AuditTable audits={audits} label="Every audit" />
      </details>
    </section>
  );
}

function AuditTable({ audits, label }: Pick<AuditsProps, "audits"> & { readonly label: string }): VNode {
  return (
    <Scrolling name={{ label }}>
      <table class="listing">
        <thead>
          <tr>
            <th scope="col">Audit</th>
            <th scope="col">Outcome</th>
            <th scope="col">What it promises</th>
            <th scope="col" class="number">
              Rows that break it
            </th>
            <th scope="col" class="number">
              Rows that may
            </th>
          </tr>
        </thead>
        <tbody>
          {audits.map((audit, index) => (
            <tr key={index}>
              <th scope="row">
                <Name>{audit.audit}</Name>{" "}
                <small>
                  of <Name>{audit.model}</Name>
                </small>
              </th>
              <td>
                <span class={`outcome ${OUTCOMES[audit.outcome].kind}`}>
                  <span aria-hidden="true">{OUTCOMES[audit.outcome].sign}</span> {audit.outcome}
                </span>
              </td>
              <td>
                <Name>{audit.promise}</Name>
              </td>
              <td class="number">{counted(audit.broken)}</td>
              <td class="number">{allowedInWords(audit)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scrolling>
  );
}

function allowedInWords({ allowed: { rows = 0, share } }: AuditOutcome): string {
  if (share !== undefined) return percent(share);
  return rows === 0 ? "none" : counted(rows);
}
