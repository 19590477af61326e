#!/usr/bin/env node
/** g2k, the operator's command. The only file of it that touches the process. */
import { createInterface } from 'node:readline/promises';
import { runCommand } from './run-command.ts';
import type { Terminal } from './terminal.ts';

const terminal: Terminal = {
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
  isInteractive: process.stdin.isTTY === true && process.stderr.isTTY === true,
  showsResult: process.stdout.isTTY === true,
  // Of a terminal that does not know its width it is 0.
  ...(process.stdout.columns > 0 && { columns: process.stdout.columns }),
  ...(process.stderr.isTTY === true && {
    // One that is broken over two lines would not be taken away again.
    status: (line = '') =>
      void process.stderr.write(`\r\x1b[2K${line.slice(0, (process.stderr.columns || 80) - 1)}`),
  }),
  async ask(question) {
    const answers = createInterface({ input: process.stdin, output: process.stderr });
    try {
      // The end of the input (Ctrl-D) is an answer as well; `question` alone would never end.
      const ended = new Promise<string>((resolve) => answers.once('close', () => resolve('')));
      return await Promise.race([answers.question(question), ended]);
    } finally {
      answers.close();
    }
  },
};

// Who reads the output may have had enough of it (`| head`).
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

process.exitCode = await runCommand(process.argv.slice(2), {
  environment: process.env,
  terminal,
  now: Date.now,
  onInterrupt(stop) {
    process.once('SIGINT', stop);
    return () => void process.off('SIGINT', stop);
  },
});

// What a command has given up waiting for (a login that is silent) would hold the process until it gives up itself.
process.stdout.write('', () => setTimeout(() => process.exit(), 500).unref());
