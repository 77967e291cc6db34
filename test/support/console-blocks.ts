/** A command of a console block, and what the page says that it prints. */
interface Command {
  readonly command: string;
  readonly output: string;
}

export interface Block {
  /** Of the page, where the block begins. */
  readonly line: number;
  /** Variables of the service's environment, as the paragraph before the block names them ("With `A=1 B=2`"), one a line. */
  readonly settings: string;
  readonly commands: readonly Command[];
}

/** The blocks of a page in Markdown that show a console: commands behind `$ `, each with what it prints below. */
export function consoleBlocks(page: string): Block[] {
  return [...page.matchAll(/^```console\n([^]*?)^```$/gm)].map(({ index, 1: text = '' }) => {
    const before = page.slice(0, index);
    const paragraph = before.trimEnd().split('\n\n').at(-1) ?? '';
    return {
      line: before.split('\n').length,
      settings: (/\b[Ww]ith\s+`([A-Z_]+=[^`]+)`/.exec(paragraph)?.[1] ?? '')
        .split(/\s/)
        .filter((word) => word.includes('='))
        .join('\n'),
      commands: text.split(/^\$ /m).slice(1).map(toCommand),
    };
  });
}

/** A command goes on in the next line within quotes, and behind a backslash. */
function toCommand(text: string): Command {
  const lines = text.split('\n');
  let count = 1;
  const isWhole = (): boolean => {
    const command = lines.slice(0, count).join('\n');
    return !command.endsWith('\\') && command.split("'").length % 2 === 1;
  };
  while (!isWhole() && count < lines.length) count++;
  return { command: lines.slice(0, count).join('\n'), output: lines.slice(count).join('\n').trimEnd() };
}

/** Fields that a page leaves out of its examples, as it says. */
const ORDINARY =
  /^(?:content-type|x-content-type-options|x-request-id|ratelimit(?:-policy)?|cache-control|kv-version|vary|content-length|date|connection|keep-alive)$/;

/**
 * What curl printed, in lines as the page has them, and without the ordinary fields that the page does not show. Where it shows `Date`,
 * it shows all fields that there are.
 */
export function withoutOrdinaryFields(printed: string, shown: string): string {
  const text = printed.replaceAll('\r\n', '\n').trimEnd();
  if (!text.startsWith('HTTP/') || namesIn(shown).includes('date')) return text;
  const [head = '', ...rest] = text.split('\n\n');
  const lines = head
    .split('\n')
    .filter((line) => !ORDINARY.test(nameOf(line)) || namesIn(shown).includes(nameOf(line)));
  return [lines.join('\n'), ...rest].join('\n\n').trimEnd();
}

const nameOf = (line: string): string => line.slice(0, line.indexOf(':')).toLowerCase();
const namesIn = (answer: string): string[] => answer.split('\n\n')[0]?.split('\n').map(nameOf) ?? [];

/** What is another at each run: times, dates, identifiers that the service makes, and what is left of a rate. */
const MASKS: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, 'TIME'],
  [/\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT/g, 'DATE'],
  [/^x-request-id: [\w-]{8}-[\da-z]+$/gm, 'x-request-id: ID'],
  [/;r=\d+;t=\d+$/gm, ';r=LEFT;t=SECONDS'],
  [/^retry-after: \d+$/gm, 'retry-after: SECONDS'],
];

const mask = (text: string): string =>
  MASKS.reduce((masking, [pattern, name]) => masking.replace(pattern, name), text);

/** With masks for what is another at each run, and with `…` for what the page leaves out by it. */
export function masked(printed: string, shown = printed): string {
  const whole = mask(printed);
  const pattern = mask(shown)
    .split('…')
    .map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
    .join('.+');
  return new RegExp(`^${pattern}$`, 's').test(whole) ? mask(shown) : whole;
}
