/** What `--help` says of the commands on subscriptions. */

const knownHelp = `Settings: REDIS_URL, REDIS_PREFIX (g2k), AZURE_TENANT_ID, SUBSCRIPTIONS_FILE and KAFKA_TOPIC of the worker.`;

const askingHelp = `Settings: of the worker REDIS_URL, REDIS_PREFIX, AZURE_*, GRAPH_*, CLIENT_STATE_SECRETS, NOTIFICATION_URL,
LIFECYCLE_NOTIFICATION_URL, SUBSCRIPTIONS_FILE, KAFKA_TOPIC, ENCRYPTION_KEYS, ENCRYPTION_CURRENT_KEY.`;

const leaseHelp = `It waits for a worker that is at work on subscriptions, up to 45 s: one process at a time changes them.`;

const plan = `Usage: g2k plan [--offline] [--json]

Says what \`g2k apply\` or a worker would do, and does nothing:

    + create     there is none yet            = adopt      there is one at Graph that is ours and was lost sight of
    ~ renew      it ends soon                 ~ amend      only how records show it; Graph is not told
  -/+ recreate   Graph cannot change that     - delete     it is not wanted any more

Asks Graph for its list, one call for each tenant and page.

  --offline  by what is known in Redis alone
  --json     a JSON object a line: change, wish, tenant, resource, subscription, why

Examples:
  g2k plan
  g2k plan --json | jq -r 'select(.change == "delete") | .wish'
  g2k plan > /dev/null; [ $? = 2 ] && echo 'something is to be done'

${askingHelp}
Exit code: 0 nothing is to be done, 2 something is (or not a command), 1 failed.`;

const apply = `Usage: g2k apply [--yes]

Shows the plan, asks, and carries it out as a worker does, at the pace that Graph takes (18 changes a second in a
tenant). It can be stopped at any time (Ctrl-C): the next one, or a worker, goes on from what is noted in Redis.
${leaseHelp}

  --yes      does not ask; needed where nobody can be asked

Examples:
  g2k apply
  SUBSCRIPTIONS_FILE=new.yaml g2k apply --yes

${askingHelp}
Exit code: 0 all is as wanted, 1 something could not be done (each with its reason) or nobody said yes, 2 not a command.`;

const list = `Usage: g2k list [--user USER] [--state STATE] [--tenant TENANT] [--expires-within TIME] [--json]

Lists the subscriptions and wishes that are known, without asking Graph.

  serving    it is there               failing   it could not be made or renewed: why, and when it is tried again
  waiting    it is to be made          skipped   there is nothing to watch, or no access; looked at again once a day
  replaced   let go hours ago          by-hand   made by \`g2k create\`

  --user USER            object id, or a name that subscriptions.yaml has
  --state STATE          one of these
  --tenant TENANT        name in subscriptions.yaml, or id
  --expires-within TIME  ends in this time, or has ended: 90m, 24h, 3d
  --json                 a JSON object a line, times in ISO

Examples:
  g2k list --state failing
  g2k list --expires-within 24h
  g2k list --json | jq -r 'select(.reason == "handshake") | .wish'

${knownHelp}
Exit code: 0 something matches, 1 nothing does or failed, 2 not a command.`;

const show = `Usage: g2k show ID | WISH [--json]

Shows all that is known of a wish and its subscriptions: what is wanted, when each was made, renewed, replaced, when it
ends, the last failure with its reason, and the next try. Secrets and clientStates are not shown.

Examples:
  g2k show calendars/479cb86d-fe74-4d23-a73f-277d1165c449
  g2k show 7f105c7d-2dc5-4530-97cd-4e7ae6534c07 --json

${knownHelp}
Exit code: 0 shown, 1 not known or failed, 2 not a command.`;

const renew = `Usage: g2k renew ID | WISH... | --all-expiring-within TIME

Has Graph prolong subscriptions now: for as long as subscriptions.yaml wants them to live, or as Graph lets them.
Workers renew by themselves; this is for what was made by hand, or before something is taken down.
${leaseHelp}

Examples:
  g2k renew calendars/479cb86d-fe74-4d23-a73f-277d1165c449
  g2k renew --all-expiring-within 24h

${askingHelp}
Exit code: 0 all were renewed, or none was to be, 1 one could not be, 2 not a command.`;

const deletion = `Usage: g2k delete ID | WISH... [--yes]

Asks, and deletes subscriptions at Graph. What subscriptions.yaml still wants is made anew by a worker: take it out of
there before. For some hours notifications that are on the way are still understood.
${leaseHelp}

  --yes      does not ask; needed where nobody can be asked

Example:
  g2k delete 7f105c7d-2dc5-4530-97cd-4e7ae6534c07

${askingHelp}
Exit code: 0 all were deleted, 1 one could not be or nobody said yes, 2 not a command.`;

const create = `Usage: g2k create --resource PATH --change-type TYPES --expires TIME [--notification-url URL]
                  [--client-state TEXT] [--tls VERSION] [--tenant TENANT] [--keep] [--json]

Makes one subscription outside of subscriptions.yaml. Its records go to the topic of its tenant. Nobody renews it, and
no worker takes it for an orphan; \`g2k renew\` and \`g2k delete\` take its id. What is to stay belongs into
subscriptions.yaml.

  --resource PATH          as Graph takes it: users/{id}/events, with ?$filter=… where only some changes are wanted
  --change-type TYPES      created,updated,deleted or some of them
  --expires TIME           90m, 24h, 3d from now, or 2026-11-23T12:00:00Z; Graph has a longest for each resource
  --notification-url URL   where Graph notifies; without it NOTIFICATION_URL
  --client-state TEXT      at most 128 characters; without it a signed one of ours. The receiver takes another one only
                           if CLIENT_STATES_ACCEPTED has it. Who can list processes here can read it
  --tls VERSION            latestSupportedTlsVersion: v1_0, v1_1, v1_2 (default), v1_3
  --tenant TENANT          name in subscriptions.yaml, or id; without it AZURE_TENANT_ID
  --keep                   only notes it as a wish, which workers make and keep; each renewal is for that time.
                           Not with --notification-url, --client-state, --tls. \`g2k delete\` ends it
  --json                   prints id, resource, expires and tenant as JSON

Example:
  g2k create --resource users/479cb86d-fe74-4d23-a73f-277d1165c449/events --change-type created,updated,deleted \\
    --notification-url https://webhook.example.com/events --expires 1h

${askingHelp}
Exit code: 0 made, 1 refused or failed (with the reason), 2 not a command.`;

const exporting = `Usage: g2k export [--tenant TENANT]

Prints the subscriptions that the app has at Graph as a subscriptions.yaml that wants the same, to begin with where
scripts made them so far. What cannot be said there is in comments, each with the reason. Changes nothing.

Examples:
  g2k export > subscriptions.yaml
  g2k export --tenant contoso

${askingHelp}
Exit code: 0 printed, 1 there is nothing to say or failed, 2 not a command.`;

export const subscriptionHelp = {
  'g2k plan': plan,
  'g2k apply': apply,
  'g2k list': list,
  'g2k show': show,
  'g2k renew': renew,
  'g2k delete': deletion,
  'g2k create': create,
  'g2k export': exporting,
};
