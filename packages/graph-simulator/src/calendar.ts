// The users' calendars: what the API, the generator and tests write events through.
import { calendarLinks } from './calendars.ts';
import { eventPatch, newEventBody } from './event-body.ts';
import type { JsonObject } from './graph-exchange.ts';
import type { ItemIds } from './item-ids.ts';
import { DEFAULT_CALENDAR } from './mail-folders.ts';
import type { ChangeOptions, ResourceStore, StoredResource } from './resource-store.ts';
import { NoSuchResourceError } from './resource-store.ts';
import type { UserDirectory } from './user-directory.ts';

export interface NewEventOptions extends ChangeOptions {
  /** Of one of the user's calendars; the default one without it. */
  readonly calendarId?: string | undefined;
}

export interface Calendar {
  /**
   * Makes an event in a user's calendar from any of its writable properties.
   * @throws {NoSuchResourceError} for an unknown user
   */
  create(userId: string, draft: JsonObject, options?: NewEventOptions): StoredResource;
  /** @param path "users/{id}/events/{id}" @throws {NoSuchResourceError} */
  update(path: string, patch: JsonObject, options?: ChangeOptions): StoredResource;
  /** @throws {NoSuchResourceError} */
  remove(path: string, options?: ChangeOptions): StoredResource;
}

export interface CalendarDeps {
  readonly resources: ResourceStore;
  readonly directory: UserDirectory;
  readonly ids: ItemIds;
}

export function createCalendar({ resources, directory, ids }: CalendarDeps): Calendar {
  return {
    create: (userId, draft, { calendarId = DEFAULT_CALENDAR, ...options } = {}) => {
      const user = directory.find(userId);
      if (user === undefined) throw new NoSuchResourceError(`There is no user ${userId}.`);
      const id = ids.itemId(user.id);
      const organizer = { name: user.displayName, address: user.mail };
      const links = calendarLinks(user.id, calendarId);
      const body = newEventBody(draft, { id, iCalUId: ids.iCalUId(), organizer, calendarLinks: links });
      return resources.create(`users/${user.id}/events/${id}`, body, options);
    },
    update: (path, patch, options) => resources.update(path, eventPatch(patch), options),
    remove: (path, options) => resources.remove(path, options),
  };
}
