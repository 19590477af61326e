// The Helm chart as `helm template` renders it, and what a pod's process finds in its environment.
import { parseAllDocuments } from 'yaml';
import { runTool } from './manifest-tools.ts';

const CHART = 'deploy/helm/graph2kafka';

export type Labels = Readonly<Record<string, string>>;

export type Container = {
  readonly image: string;
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly envFrom: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly command?: readonly string[];
  readonly [probe: `${string}Probe`]: { readonly httpGet: { readonly path: string; readonly port: string } };
};

export type Volume = {
  readonly name: string;
  readonly secret?: { readonly secretName: string; readonly items?: readonly { readonly key: string }[] };
};

export type PodSpec = {
  readonly serviceAccountName: string;
  readonly containers: readonly [Container];
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly terminationGracePeriodSeconds?: number;
  readonly volumes: readonly Volume[];
};

export type Manifest = {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Labels; readonly annotations?: Labels };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly template?: { readonly metadata: { readonly labels: Labels }; readonly spec: PodSpec };
    readonly selector?: Labels & { readonly matchLabels?: Labels };
    readonly ports?: readonly { readonly port: number; readonly targetPort: string }[];
    readonly podSelector?: { readonly matchLabels: Labels };
    readonly triggers?: readonly { readonly metadata: Readonly<Record<string, string>> }[];
  };
};

/** `values`: files, from the repository's root, or `--set` words. */
export function renderChart(...values: readonly string[]): readonly Manifest[] {
  const { status, stdout, stderr } = tryChart(...values);
  if (status !== 0) throw new Error(stderr);
  return parseAllDocuments(stdout, { merge: true })
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
}

export function tryChart(...values: readonly string[]) {
  const parameters = values.flatMap((value) =>
    value.startsWith('--') || !value.endsWith('.yaml') ? [value] : ['--values', value],
  );
  const where = ['--namespace', 'graph', '--kube-version', '1.33.0'];
  return runTool('bin/helm', 'template', 'graph2kafka', CHART, ...where, ...parameters);
}

export function ofKind(manifests: readonly Manifest[], kind: string): Manifest[] {
  return manifests.filter((manifest) => manifest.kind === kind);
}

/** @throws where there is no such deployment */
export function podOf(manifests: readonly Manifest[], component: string): PodSpec {
  const deployment = ofKind(manifests, 'Deployment').find(
    ({ metadata }) => metadata.name === `graph2kafka-${component}`,
  );
  if (!deployment?.spec?.template) throw new Error(`no deployment of ${component}`);
  return deployment.spec.template.spec;
}

/** As Kubernetes puts it together: the ConfigMaps, and over them the container's own. */
export function environmentOf(manifests: readonly Manifest[], component: string): Record<string, string> {
  const [container] = podOf(manifests, component).containers;
  const names = container.envFrom.map(({ configMapRef }) => configMapRef.name);
  const maps = ofKind(manifests, 'ConfigMap').filter(({ metadata }) => names.includes(metadata.name));
  const own = container.env.map(({ name, value }) => [name, value]);
  return { ...Object.assign({}, ...maps.map(({ data }) => data)), ...Object.fromEntries(own) };
}
