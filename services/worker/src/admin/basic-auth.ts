/** HTTP Basic authentication for the pages that show people what goes on. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { RequestHandler } from 'express';

/** Lets through who knows user and password; both are compared in constant time. */
export function basicAuth(user: string, password: string): RequestHandler {
  const expected = digest(`${user}:${password}`);
  return (request, response, next) => {
    const [scheme, encoded] = (request.headers.authorization ?? '').split(' ');
    const given = Buffer.from(scheme?.toLowerCase() === 'basic' ? (encoded ?? '') : '', 'base64').toString();
    if (timingSafeEqual(digest(given), expected)) return next();
    response
      .status(401)
      .set('WWW-Authenticate', 'Basic realm="graph2kafka", charset="UTF-8"')
      .type('text/plain')
      .send('user and password, please');
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
