/** What `--help` says. */

const g2k = `g2k: looks after a graph2kafka deployment.

Usage: g2k dead-letters list | show | replay

It reads the same environment variables as the worker; \`g2k dead-letters list --help\` says which.
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

${readingHelp}`;

const show = `Usage: g2k dead-letters show ID [--json]

Shows all of one dead letter. ID is its id, or partition:offset as \`list\` has it. Bodies and clientStates are in none.

  --json           as one JSON object

${readingHelp}`;

const replay = `Usage: g2k dead-letters replay --filter FILTER... | --all [--dry-run] [--yes]

Has the resources of the matching dead letters worked again: each goes into its owner's inbox as news that it changed,
once for each subscription. A worker then reads it from Graph and publishes a record. Doing it twice gives records
with equal ids. The dead letters stay in the topic.

  --filter FILTER  those that match, for example 'stage=run,resource=users/*,since=2h'
  --all            every dead letter
  --dry-run        says what would be done, and does nothing
  --yes            does not ask; needed where nobody can be asked

${filterHelp}

${readingHelp}
Beside these REDIS_URL and REDIS_PREFIX (g2k) of the worker; not needed with --dry-run.`;

const texts = { g2k, 'dead-letters': deadLetters, list, show, replay };

export type Topic = keyof typeof texts;

export function helpText(topic: Topic): string {
  return texts[topic];
}
