// How the slow parts of a start tell what they are at.

/** Called with one line for a human reader, without a line break; seldom, and only for what takes seconds. */
export type OnProgress = (text: string) => void;
