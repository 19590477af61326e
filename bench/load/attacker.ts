/** `node bench/load/attacker.ts <port> <attack>`: one attack in a process of its own, until it is told to end. */
import { type AttackName, startAttack } from '../../test/hostile/attacks.ts';

const [port, name] = process.argv.slice(2);
const attack = await startAttack(Number(port), name as AttackName);
process.stdout.write('attacking\n');
process.once('SIGTERM', async () => {
  process.stdout.write(`opened ${attack.opened()}\n`);
  await attack[Symbol.asyncDispose]();
  process.exit();
});
