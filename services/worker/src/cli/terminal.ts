/** What a command has of the outside: two streams of lines, and maybe somebody to ask. */
export type Terminal = {
  /** The result. */
  out(line: string): void;
  /** About the result. */
  err(line: string): void;
  /** Whether there is somebody to ask. */
  readonly isInteractive: boolean;
  /** Resolves to what was typed. */
  ask(question: string): Promise<string>;
};
