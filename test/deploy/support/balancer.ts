// A load balancer as a program: hands each request to the next of the addresses it is given, host:port each.
import { createServer, request } from 'node:http';

const [port, ...targets] = process.argv.slice(2);
let requests = 0;

createServer((incoming, response) => {
  const [host, targetPort] = (targets[requests++ % targets.length] ?? '').split(':');
  const { method, url: path, headers } = incoming;
  const outgoing = request({ host, port: targetPort, method, path, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  outgoing.on('error', () => response.destroy());
  incoming.pipe(outgoing);
}).listen(Number(port), () => process.stdout.write('listening\n'));
