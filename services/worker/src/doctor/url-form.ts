/** What the text of a notification URL tells, before anybody is asked. Pure. */
import type { WorkerConfig } from '../config.ts';
import { error, type Problem, warning } from './finding.ts';

export type NotificationUrl = {
  /** `NOTIFICATION_URL` */
  readonly setting: string;
  readonly url: string;
  /** Where the receiver takes such notifications. */
  readonly path: '/events' | '/lifecycle';
};

/** One for both is asked once. */
export function notificationUrlsOf({
  NOTIFICATION_URL: url,
  LIFECYCLE_NOTIFICATION_URL: lifecycle,
}: Pick<WorkerConfig, 'NOTIFICATION_URL' | 'LIFECYCLE_NOTIFICATION_URL'>): NotificationUrl[] {
  const urls: NotificationUrl[] = [];
  if (url !== undefined) urls.push({ setting: 'NOTIFICATION_URL', url, path: '/events' });
  if (lifecycle !== undefined && lifecycle !== url) {
    urls.push({ setting: 'LIFECYCLE_NOTIFICATION_URL', url: lifecycle, path: '/lifecycle' });
  }
  return urls;
}

/** `onInternet`: Graph is Microsoft's, and takes https alone; a simulator takes what is near to it. */
export function judgeUrlForm({ setting, url, path }: NotificationUrl, onInternet: boolean): Problem[] {
  const parsed = new URL(url);
  const problems: Problem[] = [];
  if (parsed.protocol !== 'https:' && onInternet) {
    problems.push(
      error(`${setting} begins with http://: Graph takes https alone`, `let ${setting} begin with https://`),
    );
  }
  if (parsed.username !== '' || parsed.password !== '') {
    problems.push(
      error(
        `${setting} holds a user or a password, which Graph does not send`,
        'take them away; what proves a notification is its clientState',
      ),
    );
  }
  if (parsed.hash !== '') {
    problems.push(warning(`${setting} has a part behind #, which is never sent`, 'take it away'));
  }
  // The receiver takes both kinds on both paths.
  if (!/\/(events|lifecycle)\/?$/.test(parsed.pathname)) {
    problems.push(
      warning(
        `the path of ${setting} is ${parsed.pathname}, and the receiver listens on ${path}`,
        `let it end in ${path}, unless a proxy in front turns one into the other`,
      ),
    );
  }
  return problems;
}
