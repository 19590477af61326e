// What a schema says of its settings, for comparing with what the documents say.

export type Setting = {
  readonly name: string;
  readonly description: string;
  /** As it would stand in the environment; empty: none. */
  readonly default: string;
  readonly isRequired: boolean;
};

type Field = {
  readonly description?: string | undefined;
  safeParse(value: unknown): { readonly success: boolean; readonly data?: unknown };
};

/** Of a schema's `shape`, in its order. A field that refuses `undefined` is required; what it makes of it is the default. */
export function settingsOf(shape: Readonly<Record<string, Field>>): Setting[] {
  return Object.entries(shape).map(([name, field]) => {
    const { success, data } = field.safeParse(undefined);
    return {
      name,
      description: field.description ?? '',
      default: data === undefined ? '' : String(data),
      isRequired: !success,
    };
  });
}
