/** The arrows of docs/architecture.md, checked: who may import whom. */
module.exports = {
  forbidden: [
    {
      name: 'no-rings',
      comment: 'A ring of files cannot be understood or moved one at a time. Types alone may point back.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'shared-stands-alone',
      comment: 'packages/shared is what the services agree on; it depends on no workspace package.',
      severity: 'error',
      from: { path: '^packages/shared/src' },
      to: { path: '^(services|packages/(?!shared)|test|scripts|bench)' },
    },
    {
      name: 'services-do-not-meet',
      severity: 'error',
      from: { path: '^services/([^/]+)/src' },
      to: { path: '^services/(?!$1)' },
    },
    {
      name: 'services-know-no-simulator',
      comment: 'What a test or a demo needs must not reach production.',
      severity: 'error',
      from: { path: '^services/[^/]+/src' },
      to: { path: '^(packages/(graph-simulator|test-harness)|test|scripts|bench)' },
    },
    {
      name: 'receiver-depends-on-redis-alone',
      comment: 'The ack path waits for nothing but Redis: no Graph, no Kafka, no credentials.',
      severity: 'error',
      from: { path: '^services/receiver/src' },
      to: { path: 'node_modules/(@azure|@microsoft|@platformatic|kafkajs|undici)' },
    },
    {
      name: 'simulator-is-independent',
      comment:
        'Written from Graph’s documentation: sharing code with the product would share its misreadings.',
      severity: 'error',
      from: { path: '^packages/graph-simulator/src' },
      to: { path: '^(services|packages/(?!graph-simulator)|test|scripts|bench)' },
    },
    {
      name: 'harness-judges-from-outside',
      comment:
        'It starts the services as processes, and its checker reads what came out: it imports neither.',
      severity: 'error',
      from: { path: '^packages/test-harness/src' },
      to: { path: '^(services|packages/(?!test-harness)|test|scripts|bench)' },
    },
    {
      name: 'examples-are-a-consumers',
      comment: 'What they show has to work without anything of ours but the records.',
      severity: 'error',
      from: { path: '^examples' },
      to: { path: '^(services|packages|test|scripts|bench)' },
    },
    {
      name: 'adapters-know-no-process',
      comment: 'main.ts composes; what it composes does not know it.',
      severity: 'error',
      from: { path: '^services/[^/]+/src', pathNot: 'main\\.ts$' },
      to: { path: '^services/[^/]+/src/main\\.ts$' },
    },
    {
      name: 'graph-and-kafka-do-not-meet',
      comment: 'Two peers, two folders; the run knows both. Types may pass.',
      severity: 'error',
      from: { path: '^services/worker/src/(graph|kafka)/' },
      to: {
        path: '^services/worker/src/(graph|kafka)/',
        pathNot: '^services/worker/src/$1/',
        dependencyTypesNot: ['type-only'],
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)node_modules/.*/node_modules/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
