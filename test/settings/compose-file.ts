// docker-compose.yml as Compose reads it, given an environment (its .env).
import { parse } from 'yaml';
import { type Environment, interpolate, variablesIn } from './interpolate.ts';
import { readRepositoryFile } from './repository-file.ts';

export type ComposeService = {
  readonly image?: string;
  readonly deploy?: { readonly replicas?: string };
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly entrypoint?: unknown;
  readonly command?: readonly string[];
  readonly container_name?: string;
  readonly hostname?: string;
  /** null: passed on from the environment as it is. */
  readonly environment?: Readonly<Record<string, string | null>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly (
    | string
    | { readonly source: string; readonly target: string; readonly read_only?: boolean }
  )[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string; readonly required?: boolean }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly stop_grace_period?: string;
  readonly profiles?: readonly string[];
};

type ComposeFile = { readonly services: Readonly<Record<string, ComposeService>> };

const TEXT = readRepositoryFile('docker-compose.yml');
const RAW = parse(TEXT, { merge: true }) as ComposeFile;

export const serviceNames = Object.keys(RAW.services);

/** One service, its values interpolated. @throws where a variable that must be set is not */
export function composeService(name: string, environment: Environment = {}): ComposeService {
  const service = RAW.services[name];
  if (service === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return interpolateAll(service, environment) as ComposeService;
}

/** What the service's process finds in its environment. */
export function containerEnvironment(name: string, environment: Environment = {}): Environment {
  const { environment: declared = {} } = composeService(name, environment);
  return Object.fromEntries(
    Object.entries(declared).map(([variable, value]) => [variable, value ?? environment[variable]]),
  );
}

/** Variables that have an effect when they stand in .env. */
export function variablesRead(): ReadonlySet<string> {
  const passedOn = Object.values(RAW.services).flatMap(({ environment = {} }) =>
    Object.keys(environment).filter((variable) => environment[variable] === null),
  );
  return new Set([...variablesIn(TEXT), ...passedOn]);
}

function interpolateAll(value: unknown, environment: Environment): unknown {
  if (typeof value === 'string') return interpolate(value, environment);
  if (Array.isArray(value)) return value.map((item) => interpolateAll(item, environment));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, interpolateAll(item, environment)]),
  );
}
