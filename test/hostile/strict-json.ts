/**
 * A reader of JSON (RFC 8259) that shares nothing with the product's: it says where a text has two meanings, how deep it
 * nests, and what it holds. Recursive, so its caller looks at the depth first.
 */

export type Read = {
  readonly value: unknown;
  /** An object has two properties of one name. */
  readonly isAmbiguous: boolean;
};

/** A map stands for an object, so that no name means more than another. */
export type JsonObject = ReadonlyMap<string, unknown>;

class NoJson extends Error {
  override readonly name = 'NoJson';
}

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON allows none of them in a text
const TEXT = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|(.))/g;
const MEANING: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };
const WORDS: readonly (readonly [string, unknown])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

/** `undefined` where the text is no JSON. */
export function readStrictly(text: string): Read | undefined {
  const reader = new Reader(text);
  try {
    return { value: reader.whole(), isAmbiguous: reader.isAmbiguous };
  } catch (error) {
    if (error instanceof NoJson) return undefined;
    throw error;
  }
}

class Reader {
  isAmbiguous = false;
  #at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): unknown {
    const value = this.#value();
    if (this.#at < this.#text.length) throw new NoJson();
    return value;
  }

  #value(): unknown {
    this.#match(SPACE);
    const value = this.#bare();
    this.#match(SPACE);
    return value;
  }

  #bare(): unknown {
    const next = this.#text[this.#at];
    if (next === '{') return this.#object();
    if (next === '[') return this.#array();
    if (next === '"') return this.#string();
    for (const [word, value] of WORDS) if (this.#take(word)) return value;
    return Number(this.#match(NUMBER) || this.#fail());
  }

  #object(): JsonObject {
    const properties = new Map<string, unknown>();
    this.#take('{');
    this.#match(SPACE);
    if (this.#take('}')) return properties;
    do {
      this.#match(SPACE);
      const name = this.#string();
      this.#match(SPACE);
      if (!this.#take(':')) this.#fail();
      if (properties.has(name)) this.isAmbiguous = true;
      properties.set(name, this.#value());
    } while (this.#take(','));
    return this.#take('}') ? properties : this.#fail();
  }

  #array(): readonly unknown[] {
    const items: unknown[] = [];
    this.#take('[');
    this.#match(SPACE);
    if (this.#take(']')) return items;
    do items.push(this.#value());
    while (this.#take(','));
    return this.#take(']') ? items : this.#fail();
  }

  #string(): string {
    const quoted = this.#match(TEXT) || this.#fail();
    return quoted
      .slice(1, -1)
      .replace(ESCAPE, (_all, code: string | undefined, letter: string) =>
        code === undefined ? (MEANING[letter] ?? letter) : String.fromCharCode(Number.parseInt(code, 16)),
      );
  }

  #take(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #fail(): never {
    throw new NoJson();
  }
}
