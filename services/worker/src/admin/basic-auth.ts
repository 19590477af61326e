/** HTTP Basic authentication for the pages that show people what goes on. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { RequestHandler } from 'express';

export type Login = {
  readonly user: string;
  /** `undefined`: nobody knows it. */
  readonly password: string | undefined;
};

/** Lets through who knows user and password; both are compared in constant time. */
export function basicAuth(login: Login): RequestHandler {
  return (request, response, next) => {
    const [scheme, encoded] = (request.headers.authorization ?? '').split(' ');
    const given = Buffer.from(scheme?.toLowerCase() === 'basic' ? (encoded ?? '') : '', 'base64').toString();
    const { user, password } = login;
    if (password !== undefined && timingSafeEqual(digest(given), digest(`${user}:${password}`)))
      return next();
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
