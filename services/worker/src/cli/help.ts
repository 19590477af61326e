/** What `--help` says. */
import { subscriptionHelp } from './subscriptions/subscription-help.ts';

const g2k = `g2k: looks after a graph2kafka deployment.

Usage: g2k plan | apply                            what subscriptions.yaml wants, made so
       g2k list | show | renew | delete            the subscriptions that there are
       g2k create | export                         made by hand; what Graph has, as subscriptions.yaml
       g2k dead-letters list | show | replay
       g2k certificates list | rotate
       g2k doctor

It reads the same environment variables as the worker; the \`--help\` of each command says which.
Exit code: 0 done, 1 failed or nothing matched, 2 not a command.`;

const deadLetters = `g2k dead-letters: news that could not become a record, in KAFKA_DEAD_LETTER_TOPIC.

  g2k dead-letters list      what there is, the newest last
  g2k dead-letters show ID   all of one
  g2k dead-letters replay    has the resources worked again

Each has a --help of its own.`;

const filterHelp = `Filter: terms with commas between, all of which have to hold.
  field=value    equal; * in a value stands for any text
  field!=value   not equal
  field~text     contains the text, in any case
  Text fields: id (or partition:offset), stage, reason, resource, subscription (id or name), tenant.
  replayable=true|false, since=…, before=…: when it came into the topic; 90s, 30m, 2h, 7d ago, or a time.
  A value with a comma or a quote goes in double quotes: 'reason="a, b"'.
  --filter may be given more than once.`;

const readingHelp = `Settings: KAFKA_BROKERS, KAFKA_DEAD_LETTER_TOPIC (graph.events.dlq), and what the worker has of
KAFKA_CLIENT_ID, KAFKA_PROFILE, KAFKA_SECURITY_PROTOCOL, KAFKA_SSL_*, KAFKA_SASL_*, KAFKA_OIDC_*.`;

const list = `Usage: g2k dead-letters list [--filter FILTER]... [--limit N] [--json]

Lists the dead letters that are in the topic now, the newest last.

  --filter FILTER  those that match, for example 'stage=run,resource=users/*,since=2h'
  --limit N        the newest N (default 100, at most 100000)
  --json           a JSON object a line, nothing shortened

${filterHelp}

Examples:
  g2k dead-letters list --filter 'since=24h,stage=run'
  g2k dead-letters list --json | jq -r .reason | sort | uniq -c

${readingHelp}
Exit code: 0 something matches, 1 nothing does or failed, 2 not a command.`;

const show = `Usage: g2k dead-letters show ID [--json]

Shows all of one dead letter. ID is its id, or partition:offset as \`list\` has it. Bodies and clientStates are in none.

  --json           as one JSON object

Examples:
  g2k dead-letters show 0:17
  g2k dead-letters show xxbiHq06BPXYiAu7Dz9JEv4wTDCwlIpuB5nUPavWZMQ --json

${readingHelp}
Exit code: 0 shown, 1 not there or failed, 2 not a command.`;

const replay = `Usage: g2k dead-letters replay --filter FILTER... | --all [--dry-run] [--yes]

Has the resources of the matching dead letters worked again: each goes into its owner's inbox as news that it changed,
once for each subscription. A worker then reads it from Graph and publishes a record. Doing it twice gives records
with equal ids. The dead letters stay in the topic.

  --filter FILTER  those that match, for example 'stage=run,resource=users/*,since=2h'
  --all            every dead letter
  --dry-run        says what would be done, and does nothing
  --yes            does not ask; needed where nobody can be asked

${filterHelp}

Examples:
  g2k dead-letters replay --filter 'reason~403,since=2d' --dry-run
  g2k dead-letters replay --all --yes

${readingHelp}
Beside these REDIS_URL and REDIS_PREFIX (g2k) of the worker; not needed with --dry-run.
Exit code: 0 done, 1 nothing matches, failed or nobody said yes, 2 not a command.`;

const certificates = `g2k certificates: the keys that rich notifications are encrypted for, in ENCRYPTION_KEYS.

  g2k certificates list      which there are, until when, and which are still used
  g2k certificates rotate    makes a new one

Each has a --help of its own.`;

const listCertificates = `Usage: g2k certificates list [--json]

Lists the keys of ENCRYPTION_KEYS, with the subscriptions whose notifications may need them. A subscription needs its
former key for 8 hours after it was changed over: so long its notifications may be on the way.

  current    new subscriptions are made with it, and living ones are changed over to it
  upcoming   its time has not begun
  in use     older, and still needed
  may go     older, and needed by no subscription: take it away
  missing    needed, and not held: put it back (exit code 1)

  --json     a JSON object a line

Examples:
  g2k certificates list
  g2k certificates list --json | jq -r 'select(.state == "may go") | .certificate'

Settings: ENCRYPTION_KEYS, ENCRYPTION_CURRENT_KEY, REDIS_URL and REDIS_PREFIX (g2k) of the worker.
Exit code: 0 listed, 1 a key is missing or failed, 2 not a command.`;

const rotate = `Usage: g2k certificates rotate [--starts-in MINUTES] [--days N] [--bits N] [--out FOLDER] [--dry-run]

Makes a new key with a self-signed certificate, as one file {id}.pem in the folder of ENCRYPTION_KEYS. Workers load it
by themselves; once its time has begun they make new subscriptions with it and change the living ones over. No key is
taken away: \`g2k certificates list\` says when an old one may go.

  --starts-in MINUTES  until its time begins, so that every worker holds it by then (default 10; the first: at once)
  --days N             how long the certificate is valid (default 365, at most 3650)
  --bits N             2048 (default) or 4096
  --out FOLDER         puts the file there, for a secret that is mounted read-only
  --dry-run            says what would be made, and makes nothing

Examples:
  g2k certificates rotate --dry-run
  g2k certificates rotate --out . --days 90

Settings: ENCRYPTION_KEYS and ENCRYPTION_CURRENT_KEY of the worker; with --out none is needed.
Exit code: 0 made, 1 failed, 2 not a command.`;

const doctor = `Usage: g2k doctor [--json]

Says what is wrong before Graph does. Looks at each of these, with a time limit for each, and changes nothing:

  settings       all that is wrong or contradictory, and whether secrets that are kept elsewhere can be read
  subscriptions  what subscriptions.yaml wants, against Graph's quotas
  sign-in        whether the app gets a token, and which permissions are granted, missing, not needed
  graph          whether Graph answers, how soon, and whether the clocks agree
  public-url     NOTIFICATION_URL and LIFECYCLE_NOTIFICATION_URL as Graph meets them: name, certificate, handshake
  redis          version, durability, memory, latency
  kafka          brokers, topics, rights

One line each: ok, warning or error, what was found, and for the latter two the cure. The public URL is asked from
here: run it outside of your network too if names or firewalls differ there.

  --json     a JSON object a line: check, level, found, cure

Colours only on a terminal, and not with NO_COLOR.

Examples:
  g2k doctor
  g2k doctor --json | jq -r 'select(.level == "error") | .cure'
  docker compose exec worker node src/cli/main.ts doctor

Settings: all of the worker, from the same environment.
Exit code: 0 nothing is wrong (there may be warnings), 1 an error was found, 2 not a command.`;

const texts = {
  ...subscriptionHelp,
  g2k,
  'dead-letters': deadLetters,
  list,
  show,
  replay,
  certificates,
  'list-certificates': listCertificates,
  rotate,
  doctor,
};

export type Topic = keyof typeof texts;

export function helpText(topic: Topic): string {
  return texts[topic];
}
