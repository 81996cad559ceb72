import type { ComponentChildren, VNode } from "preact";

/** One bar of a chart. */
export interface Bar {
  readonly label: ComponentChildren;
  /** The length of the bar. */
  readonly value: number;
  /** The value in words, and further texts. */
  readonly texts: readonly ComponentChildren[];
  /** Whether it is the answer. */
  readonly isMarked?: boolean;
}

interface BarsProps {
  readonly caption: ComponentChildren;
  /** The headings of the label and of the texts. */
  readonly headings: readonly string[];
  readonly bars: readonly Bar[];
}

/** Bars in the rows of a table: a screen reader reads the same numbers. */
export function Bars({ caption, headings: [labelHeading, ...textHeadings], bars }: BarsProps): VNode {
  const longest = Math.max(1, ...bars.map(({ value }) => value));
  return (
    <table class="bars">
      <caption>{caption}</caption>
      <thead>
        <tr>
          <th scope="col">{labelHeading}</th>
          <td aria-hidden="true" />
          {textHeadings.map((heading) => (
            <th key={heading} scope="col" class="number">
              {heading}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {bars.map(({ label, value, texts, isMarked }, index) => (
          <tr key={index} class={isMarked === true ? "marked" : undefined}>
            <th scope="row">{label}</th>
            <td class="bar" aria-hidden="true">
              <svg viewBox="0 0 100 10" preserveAspectRatio="none" focusable="false">
                <rect width={(value / longest) * 100} height="10" />
              </svg>
            </td>
            {texts.map((text, column) => (
              <td key={column} class="number">
                {text}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
