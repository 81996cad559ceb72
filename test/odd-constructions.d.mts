export type TextGroup =
  "README" | "docs" | "decisions" | "help" | "messages" | "pages" | "sql" | "comments" | "test names";

export interface OddConstruction {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
  readonly text: string;
}

export const GROUPS: Readonly<Record<TextGroup, () => readonly string[]>>;

export function oddConstructions(group: TextGroup): {
  readonly words: number;
  readonly found: readonly OddConstruction[];
  readonly perThousand: number;
};
