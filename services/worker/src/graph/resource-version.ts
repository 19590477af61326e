/**
 * The version of a resource, however it was had: fetched, found on a page, carried by a notification. One order for
 * all, since the id of a record is made of it. Pure.
 */

/**
 * OData's, which may be of any kind; Outlook's, of which its etag is made; of drive and list items (not `cTag`, which
 * stays where a name alone changes); of chat messages (Graph: api/resources/event, api/resources/driveitem,
 * api/resources/chatmessage).
 */
const PROPERTIES = ['@odata.etag', 'changeKey', 'eTag', 'etag'] as const;

/** The first that is text and not empty; undefined for resources without versions. */
export function versionOf(data: Readonly<Record<string, unknown>>): string | undefined {
  return PROPERTIES.map((name) => data[name]).find(
    (version): version is string => typeof version === 'string' && version !== '',
  );
}
