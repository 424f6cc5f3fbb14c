import type { Profile } from "../profile/profile.ts";
import { ProfileBuilder, type ProfileHeader } from "../profile/profile-builder.ts";
import { profileToStackList } from "../profile/profile-stacks.ts";
import type { StackList } from "../profile/tree.ts";

/** What a drawing does not show. */
export interface ProfileFromTextOptions extends Partial<ProfileHeader> {
  /** Value of each column, for the first sample type; 1 by default. */
  readonly values?: readonly (bigint | number)[];
  /** Text labels of each column. */
  readonly labels?: readonly Readonly<Record<string, string>>[];
}

/**
 * A profile from a drawing: each column is one sample, the root on top.
 *
 *     profileFromText(`
 *       main    main    main
 *       handle  handle  idle
 *       parse   query
 *     `)
 *
 * Columns begin where the words of the first line begin; names are separated by at least two spaces, so that
 * they may contain one. Sample type is `samples` in `count` unless the options say otherwise; equal columns are summed.
 *
 * @throws Error when a name does not begin where a column begins.
 */
export function profileFromText(drawing: string, options: ProfileFromTextOptions = {}): Profile {
  const { values, labels, ...header } = options;
  const sampleTypes = header.sampleTypes ?? [{ type: "samples", unit: "count" }];
  const builder = new ProfileBuilder({ ...header, sampleTypes });
  for (const [column, stack] of readColumns(drawing).entries()) {
    const locations = stack.map((name) =>
      builder.location({ lines: [{ function: builder.function({ name }) }] }),
    );
    const value = values?.[column] ?? 1;
    const columnLabels = Object.entries(labels?.[column] ?? {});
    builder.addSample(
      locations.reverse(),
      sampleTypes.map((_type, index) => (index === 0 ? value : 0)),
      columnLabels.map(([key, text]) => ({ key, text })),
    );
  }
  return builder.build();
}

/** The stacks of a drawing; see {@link profileFromText}. */
export function stacksFromText(drawing: string, values: readonly (bigint | number)[] = []): StackList {
  return profileToStackList(profileFromText(drawing, { values }), 0);
}

/** Names of each column, root first. */
function readColumns(drawing: string): string[][] {
  const lines = drawing.split("\n").filter((line) => line.trim() !== "");
  const starts = wordsOf(lines[0] ?? "").map(({ start }) => start);
  const columns: string[][] = starts.map(() => []);
  for (const line of lines) {
    for (const { start, word } of wordsOf(line)) {
      const column = columns[starts.indexOf(start)];
      if (column === undefined) {
        throw new Error(
          `reading a drawing: ${JSON.stringify(word)} begins at ${start}, expected one of ${starts}`,
        );
      }
      column.push(word);
    }
  }
  return columns;
}

function wordsOf(line: string): { start: number; word: string }[] {
  return Array.from(line.matchAll(/\S+(?: \S+)*/g), (match) => ({ start: match.index, word: match[0] }));
}
