// The command: starts a simulator from its arguments and closes it on SIGTERM or SIGINT.
import { readFile, writeFile } from 'node:fs/promises';
import { CommandLineError, HELP, parseCommandLine, type SimulatorCommand } from './command-line.ts';
import { planFaults, type TimedFault } from './fault-plan.ts';
import { parseFaultScript } from './fault-script.ts';
import { GraphSimulator } from './simulator.ts';

function readyLine(simulator: GraphSimulator, { rate, caFile }: SimulatorCommand): string {
  const { url, tenantId, clientId } = simulator;
  const ca = caFile === undefined ? '' : ` ca=${caFile}`;
  return `ready ${url} tenant=${tenantId} client=${clientId} users=${simulator.users().length} rate=${rate}${ca}\n`;
}

/** What the arguments ask to go wrong. @throws {CommandLineError} */
async function readFaults({ faultsFile, chaos }: SimulatorCommand): Promise<readonly TimedFault[]> {
  if (chaos !== undefined) return planFaults(chaos);
  if (faultsFile === undefined) return [];
  try {
    return parseFaultScript(JSON.parse(await readFile(faultsFile, 'utf8')));
  } catch (cause) {
    throw new CommandLineError(`--faults: ${faultsFile}: ${(cause as Error).message}`, { cause });
  }
}

/** Ends by itself once the simulator is closed and nothing keeps the process any longer. */
async function run(command: SimulatorCommand): Promise<void> {
  const script = await readFaults(command);
  const simulator = await GraphSimulator.start(command.options);
  const stop = () => {
    simulator.close().catch(fail);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  try {
    if (command.caFile !== undefined) await writeFile(command.caFile, simulator.caCertificate);
  } catch (cause) {
    await simulator.close();
    throw cause;
  }
  if (command.rate > 0) {
    for (const { life } of simulator.tenants()) life.start({ changesPerSecond: command.rate });
  }
  simulator.faultScript.start(script);
  process.stdout.write(readyLine(simulator, command));
}

function fail(cause: unknown): void {
  process.stderr.write(`${cause instanceof Error ? cause.message : String(cause)}\n`);
  process.exitCode = cause instanceof CommandLineError ? 2 : 1;
}

try {
  const command = parseCommandLine(process.argv.slice(2));
  if (command === 'help') process.stdout.write(HELP);
  else await run(command);
} catch (cause) {
  fail(cause);
}
