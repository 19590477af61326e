import { describe, expect, it } from 'vitest';
import { CommandLineError, parseCommandLine } from '../src/command-line.ts';

describe('the command line', () => {
  it('gives the simulator what was said and nothing else', () => {
    const args = [
      '--port',
      '4443',
      '--users',
      '7',
      '--rate',
      '2.5',
      '--ca-file',
      'ca.pem',
      '--graph-latency',
      '50',
    ];
    expect(parseCommandLine([...args, '--host-name', 'graph', '--host-name', 'graph.local'])).toEqual({
      rate: 2.5,
      caFile: 'ca.pem',
      options: {
        port: 4443,
        users: 7,
        graphLatencyMs: 50,
        hostNames: ['graph', 'graph.local'],
        changeLogKeepEntries: 1_000,
      },
    });
  });

  it('asks for help', () => {
    expect(parseCommandLine(['--help'])).toBe('help');
  });

  it.each([
    [['--colour', 'red'], /^Unknown option '--colour'/],
    [['left over'], /^Unexpected argument 'left over'/],
    [['--port'], /port/],
    [['--port', 'many'], /^--port: must be a number/],
    [['--port', '65536'], /^--port: /],
    [['--users', '0'], /^--users: /],
    [['--users', '1.5'], /^--users: /],
    [['--rate=-1'], /^--rate: /],
    [['--tenant-id', 'home'], /^--tenant-id: /],
  ])('refuses %j in one sentence', (args, sentence) => {
    const parse = () => parseCommandLine(args);
    expect(parse).toThrow(CommandLineError);
    expect(parse).toThrow(sentence);
    expect(parse).not.toThrow('\n');
  });
});
