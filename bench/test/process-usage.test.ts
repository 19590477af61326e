import { describe, expect, it } from 'vitest';
import { cpuMsOf, residentBytesOf } from '../measure/process-usage.ts';
import { cpuMicrosecondsEach } from '../measure/usage-meter.ts';

describe('what Linux tells of a process', () => {
  it('is its CPU time in ticks of 10 ms, whatever its name holds', () => {
    const rest = 'S 1 2 2 0 -1 4194560 900 0 0 0 123 45 6 7 20 0 11 0 5000 1000 200';
    expect(cpuMsOf(`42 (node) ${rest}`)).toBe(1680);
    expect(cpuMsOf(`42 (a ) b (c) ${rest}`)).toBe(1680);
  });

  it('is not taken from something else', () => {
    expect(() => cpuMsOf('nothing of the kind')).toThrow('/proc');
  });

  it('is its resident memory in kB', () => {
    expect(residentBytesOf('Name:\tnode\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\n')).toBe(1_048_576);
  });
});

describe('CPU time for each notification', () => {
  it('is in microseconds', () => {
    expect(cpuMicrosecondsEach({ cpuMs: 500, residentBytes: 0 }, 1000)).toBe(500);
  });

  it('is absent where nothing was measured', () => {
    expect(cpuMicrosecondsEach(undefined, 1000)).toBeUndefined();
    expect(cpuMicrosecondsEach({ cpuMs: 500, residentBytes: 0 }, 0)).toBeUndefined();
  });
});
