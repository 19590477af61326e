/** What the settings themselves tell, without asking anybody. Pure. */
import type { WorkerConfig } from '../config.ts';
import { CLOUD_NAMES, type CloudName, endpointsOf } from '../tenants/clouds.ts';
import { count, error, ok, type Problem, type Remark, warning } from './finding.ts';
import type { ReadSettings } from './read-settings.ts';

const CURE = 'correct it in the environment of the worker (docs/operations.md, Settings)';

export function checkSettings(settings: ReadSettings, secretProblems: readonly string[]): Remark[] {
  const wrong = [...settings.problems, ...secretProblems].map((problem) => error(problem, CURE));
  const doubts = judgeSettings(settings);
  const { referring } = settings;
  const kept =
    referring.length === 0
      ? 'no secret is kept elsewhere'
      : `${count(referring.length, 'secret')} kept elsewhere and read: ${referring.join(', ')}`;
  return [...(wrong.length === 0 ? [ok(`all are as the worker takes them; ${kept}`)] : wrong), ...doubts];
}

/** What the worker takes and nobody may want. */
export function judgeSettings(settings: Pick<ReadSettings, 'part'>): Problem[] {
  const cloud = settings.part(['GRAPH_CLOUD', 'GRAPH_URL', 'AZURE_AUTHORITY_HOST']);
  const wanted = settings.part(['SUBSCRIPTIONS_FILE', 'NOTIFICATION_URL', 'LIFECYCLE_NOTIFICATION_URL']);
  return [...(cloud ? judgeCloud(cloud) : []), ...(wanted ? judgeWanted(wanted) : [])];
}

function judgeWanted(
  config: Pick<WorkerConfig, 'SUBSCRIPTIONS_FILE' | 'NOTIFICATION_URL' | 'LIFECYCLE_NOTIFICATION_URL'>,
): Problem[] {
  const { SUBSCRIPTIONS_FILE: file, NOTIFICATION_URL: url, LIFECYCLE_NOTIFICATION_URL: lifecycle } = config;
  if (file === undefined && url !== undefined) {
    return [
      warning(
        'NOTIFICATION_URL is set and SUBSCRIPTIONS_FILE is not: no subscription is made or renewed',
        'set SUBSCRIPTIONS_FILE, or take NOTIFICATION_URL away',
      ),
    ];
  }
  if (file === undefined || lifecycle !== undefined) return [];
  return [
    warning(
      'LIFECYCLE_NOTIFICATION_URL is not set: Graph cannot say that it missed or removed something',
      "set LIFECYCLE_NOTIFICATION_URL to the receiver's /lifecycle",
    ),
  ];
}

/** A host of one cloud beside the name of another: its tokens are worth nothing there. */
function judgeCloud({
  GRAPH_CLOUD: named,
  GRAPH_URL: graph,
  AZURE_AUTHORITY_HOST: login,
}: Pick<WorkerConfig, 'GRAPH_CLOUD' | 'GRAPH_URL' | 'AZURE_AUTHORITY_HOST'>): Problem[] {
  const mine = endpointsOf({ GRAPH_CLOUD: named });
  const strange = (
    setting: string,
    url: string | undefined,
    own: string,
    of: (cloud: CloudName) => string,
  ) => {
    const host = url === undefined ? undefined : new URL(url).host;
    const other = CLOUD_NAMES.find((cloud) => new URL(of(cloud)).host === host);
    if (other === undefined || host === new URL(own).host) return [];
    return [
      error(
        `${setting} is of the cloud ${other}, GRAPH_CLOUD is ${named}`,
        `set GRAPH_CLOUD=${other} and take ${setting} away, or correct ${setting}`,
      ),
    ];
  };
  return [
    ...strange('GRAPH_URL', graph, mine.graphUrl, (cloud) => endpointsOf({ GRAPH_CLOUD: cloud }).graphUrl),
    ...strange(
      'AZURE_AUTHORITY_HOST',
      login,
      mine.loginUrl,
      (cloud) => endpointsOf({ GRAPH_CLOUD: cloud }).loginUrl,
    ),
  ];
}

/** Whether Graph is Microsoft's, and so out on the internet, asking for https; else a simulator or the like. */
export function isMicrosofts(graphUrl: string): boolean {
  const { host } = new URL(graphUrl);
  return CLOUD_NAMES.some((cloud) => new URL(endpointsOf({ GRAPH_CLOUD: cloud }).graphUrl).host === host);
}
