/** Keeps the values that were used last. */

export type BoundedCache<V> = {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
};

/** A `Map` remembers the order of insertion: what is used is put in anew, and the first is the one unused for longest. */
export function createBoundedCache<V>(capacity: number): BoundedCache<V> {
  const values = new Map<string, V>();
  return {
    get(key) {
      const value = values.get(key);
      if (value !== undefined) {
        values.delete(key);
        values.set(key, value);
      }
      return value;
    },
    set(key, value) {
      values.delete(key);
      values.set(key, value);
      const [oldest] = values.keys();
      if (values.size > capacity && oldest !== undefined) values.delete(oldest);
    },
  };
}
