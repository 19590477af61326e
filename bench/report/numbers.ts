/** Numbers as people read them: as many digits as mean something, and a dash where nothing was measured. Pure. */

const ABSENT = '–';

/** 0.123 → "0.12", 1.234 → "1.2", 12.34 → "12", 1234.5 → "1235", 0 → "0". */
export function short(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return ABSENT;
  const size = Math.abs(value);
  if (size === 0) return '0';
  return value.toFixed(size < 1 ? 2 : size < 10 ? 1 : 0);
}

/** 1.5 → "1.50 ×". */
export function times(value: number | undefined): string {
  return value === undefined || !Number.isFinite(value) ? ABSENT : `${value.toFixed(2)} ×`;
}

export function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? ABSENT : Math.round(bytes / 1024 ** 2).toString();
}
