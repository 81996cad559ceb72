import type { CommandModule } from "yargs";

/** The commands by the heading of the help that lists them. */
export type CommandGroups = Readonly<Record<string, readonly CommandModule[]>>;

/** Global options come last: most people do not need them. */
export const GLOBAL = "Global options:";

/** The help that yargs wrote, with its commands in groups and the global options last. */
export function arrangedHelp(help: string, groups: CommandGroups): string {
  const sections = help.split("\n\n");
  const isGlobal = (section: string) => section.startsWith(GLOBAL);
  const last = sections.findLastIndex((section) => /^(Required|Options|Global options):/.test(section));
  return sections
    .flatMap((section, index) => [
      ...(section.startsWith("Commands:")
        ? [commandLists(groups)]
        : isGlobal(section) && index !== last
          ? []
          : [section]),
      ...(index === last ? sections.filter(isGlobal).filter((global) => global !== section) : []),
    ])
    .join("\n\n");
}

function commandLists(groups: CommandGroups): string {
  const all = Object.values(groups).flat().map(shownName);
  const width = Math.max(...all.map(({ length }) => length));
  return Object.entries(groups)
    .map(([heading, commands]) =>
      [
        `${heading}:`,
        ...commands.map((command) => `  ${shownName(command).padEnd(width)}  ${String(command.describe)}`),
      ].join("\n"),
    )
    .join("\n\n");
}

/** `render <model>`, `diff`: optional arguments are in the help of the command. */
function shownName({ command = [] }: CommandModule): string {
  return [command].flat()[0]?.replace(/ \[.*/, "") ?? "";
}
