/** What a command has of the outside: two streams of lines, and maybe somebody to ask. */
export type Terminal = {
  /** The result. */
  out(line: string): void;
  /** About the result. */
  err(line: string): void;
  /** Whether there is somebody to ask. */
  readonly isInteractive: boolean;
  /** Whether the result goes to people, and not into a pipe or a file. */
  readonly showsResult?: boolean;
  /** How many characters of the result fit into a line; absent where lines may be of any length. */
  readonly columns?: number;
  /** How far it has come: each takes the place of the one before; absent where lines stay. Undefined: it is over. */
  status?(line: string | undefined): void;
  /** Resolves to what was typed. */
  ask(question: string): Promise<string>;
};

/** Colours go to people alone, and not to those who do not want them (no-color.org) or have a terminal without. */
export function isColoured(
  { showsResult = false }: Pick<Terminal, 'showsResult'>,
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  return showsResult && !environment.NO_COLOR && environment.TERM !== 'dumb';
}
