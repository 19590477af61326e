/** JSON logs on standard output, one line each; what must not be read by people is taken out here, not at call sites. */
import { type DestinationStream, type Logger, pino } from 'pino';

/** At any of the first three levels of an object; deeper ones are never logged whole. */
const SECRET_FIELDS = [
  'clientState',
  'validationToken',
  'validationTokens',
  'authorization',
  'Authorization',
  'password',
  'client_secret',
  'clientSecret',
  'access_token',
  'accessToken',
  'encryptedContent',
  'body',
];
const paths = SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]);

/** What Cloud Logging calls severity; other platforms read pino's own `level`. */
const severities: Record<string, string> = {
  trace: 'DEBUG',
  debug: 'DEBUG',
  info: 'INFO',
  warn: 'WARNING',
  error: 'ERROR',
  fatal: 'CRITICAL',
};

/**
 * One shape for all platforms: `severity`, `message` and `time` are what Cloud Logging reads, Log Analytics and others
 * take any field of JSON. `project` is the one of Google Cloud, where there is one: Cloud Logging joins lines to the
 * trace of their request by its whole name.
 */
export function createLogger(
  service: string,
  level: string,
  destination?: DestinationStream,
  project?: string,
): Logger {
  return pino(
    {
      level,
      base: { service },
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label, severity: severities[label] ?? 'DEFAULT' }),
        log: namingTrace(project),
      },
      redact: { paths, censor: '[redacted]' },
      serializers: { err: describeError },
    },
    destination ?? pino.destination({ fd: 1, sync: false }),
  );
}

function namingTrace(project: string | undefined) {
  return (fields: Record<string, unknown>): Record<string, unknown> => {
    const { trace_id: id } = fields;
    if (project === undefined || typeof id !== 'string' || id === '') return fields;
    return { ...fields, 'logging.googleapis.com/trace': `projects/${project}/traces/${id}` };
  };
}

/** Errors can cause each other in a circle; what lies deeper than this tells nothing new. */
const MOST_CAUSES = 5;

/**
 * Name, code and text of an error and of its causes, and where ours was thrown. Not the whole object: errors of
 * HTTP and Redis clients carry requests, and those carry tokens and bodies.
 */
function describeError(error: unknown): unknown {
  return describeWithCauses(error, MOST_CAUSES);
}

function describeWithCauses(error: unknown, causesLeft: number): unknown {
  if (!(error instanceof Error)) return { message: String(error).slice(0, 500) };
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    message: error.message.slice(0, 500),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    stack: whereThrown(error),
    ...(error.cause === undefined || causesLeft === 0
      ? {}
      : { cause: describeWithCauses(error.cause, causesLeft - 1) }),
  };
}

/** The innermost calls alone: a stack begins with the whole message again, however long that is. */
function whereThrown({ stack }: Error): string | undefined {
  const calls = stack?.split('\n').filter((line) => line.startsWith('    at '));
  return calls?.slice(0, 5).join('\n');
}

export type { Logger };
