// The two apps, on what platform.bicep has made: receiver (public, scales on requests), worker (private, scales on the backlog).
targetScope = 'resourceGroup'

@description('As given to platform.bicep.')
@minLength(3)
@maxLength(10)
param name string = 'g2k'

param location string = resourceGroup().location

@description('Tag of both images in the registry, graph2kafka/receiver and graph2kafka/worker.')
@minLength(1)
param imageTag string

@description('Text of subscriptions.yaml.')
@minLength(1)
param subscriptions string

@description('Where both services have their secrets from: the vault, read by themselves, or secrets of the apps (secretref).')
@allowed(['keyVault', 'app'])
param secretsFrom string = 'keyVault'

@description('With secretsFrom=app: the first signs, all verify; at least 16 characters each.')
@secure()
param clientStateSecrets string = ''

@description('With secretsFrom=app: password of status page and Bull Board, at least 8 characters.')
@secure()
param adminPassword string = ''

@description('With secretsFrom=app and graphClientId: the secret of that app registration.')
@secure()
param graphClientSecret string = ''

@description('App registration that reads from Graph with a client secret; empty: the worker\'s managed identity does.')
param graphClientId string = ''

@description('Tenant whose changes are read. The managed identity can only read its own.')
param tenantId string = tenant().tenantId

@description('As given to platform.bicep.')
@allowed(['managedIdentity', 'connectionString'])
param kafkaSignIn string = 'managedIdentity'

@description('As given to platform.bicep.')
param topic string = 'graph.events'

@description('As given to platform.bicep.')
param deadLetterTopic string = 'graph.events.dlq'

@description('Begins the name of every key in Redis.')
param redisPrefix string = 'g2k'

@description('Domain of yours that leads to the receiver, beside the one that the platform gives it.')
param publicHost string = ''

@description('Id of its certificate in the environment. Only with it Graph is told of publicHost.')
param certificateId string = ''

@description('At least one, since Graph waits 10 s for the handshake, and counts answers over 3 s as slow.')
@minValue(1)
param receiverMin int = 1

@minValue(1)
param receiverMax int = 10

@description('At least one: it renews subscriptions and wakes delayed jobs.')
@minValue(1)
param workerMin int = 1

@minValue(1)
param workerMax int = 5

@description('Owners that wait for a worker, beside those at work, for which there is one more: WORKER_CONCURRENCY.')
@minValue(1)
param ownersPerWorker int = 32

@description('Networks (CIDR) from which the worker\'s admin port is reached over the internet; none: from within the environment only.')
param adminNetworks string[] = []

@description('Further settings of the receiver, by name: docs/operations.md.')
param moreReceiverSettings object = {}

@description('Further settings of the worker, by name: docs/operations.md.')
param moreWorkerSettings object = {}

resource receiverIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' existing = {
  name: '${name}-receiver'
}

resource workerIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' existing = {
  name: '${name}-worker'
}

resource registry 'Microsoft.ContainerRegistry/registries@2025-04-01' existing = {
  name: '${name}${uniqueString(resourceGroup().id)}'
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: '${name}-${uniqueString(resourceGroup().id)}'
}

resource redis 'Microsoft.Cache/redisEnterprise@2025-07-01' existing = {
  name: '${name}-${uniqueString(resourceGroup().id)}'

  resource database 'databases' existing = {
    name: 'default'
  }
}

resource eventHubs 'Microsoft.EventHub/namespaces@2024-01-01' existing = {
  name: '${name}-${uniqueString(resourceGroup().id)}'

  resource sendKey 'authorizationRules' existing = {
    name: 'worker'
  }
}

resource environment 'Microsoft.App/managedEnvironments@2025-07-01' existing = {
  name: '${name}-environment'
}

var fromVault = secretsFrom == 'keyVault'
var isOwnApp = !empty(graphClientId)
var usesPassword = kafkaSignIn == 'connectionString'

var receiverName = '${name}-receiver'
var receiverHost = empty(certificateId) ? '${receiverName}.${environment.properties.defaultDomain}' : publicHost

// A domain has to be there before the platform makes its certificate.
var publicDomain = empty(certificateId)
  ? { name: publicHost, bindingType: 'Disabled' }
  : { name: publicHost, bindingType: 'SniEnabled', certificateId: certificateId }

// Another text makes another folder, and so a new revision: secrets alone make none.
var subscriptionsFolder = '/etc/graph2kafka/${uniqueString(subscriptions)}'

// `https://name.servicebus.windows.net:443/`, with another domain in other clouds.
var kafkaBroker = replace(replace(eventHubs.properties.serviceBusEndpoint, 'https://', ''), ':443/', ':9093')

// `azurekeyvault://name.vault.azure.net`, with another domain in other clouds: what the services read themselves.
var vaultReference = 'azurekeyvault://${replace(replace(vault.properties.vaultUri, 'https://', ''), '/', '')}'

// --- Settings of the services, by the names of their environment variables ---

var sharedSettings = {
  REDIS_PREFIX: redisPrefix
  // Managed Redis hides its configuration: what platform.bicep sets is taken at its word.
  REDIS_DURABILITY: 'declared'
  // Under the termination grace of the apps.
  SHUTDOWN_GRACE_MS: '25000'
}

var receiverSettings = union(
  sharedSettings,
  {
    PORT: '8080'
    // Still stores while the ingress learns that it is to end.
    SHUTDOWN_DELAY_MS: '10000'
    MANAGED_IDENTITY_CLIENT_ID: receiverIdentity.properties.clientId
  },
  moreReceiverSettings
)

var workerSettings = union(
  sharedSettings,
  {
    ADMIN_PORT: '9090'
    MANAGED_IDENTITY_CLIENT_ID: workerIdentity.properties.clientId
    AZURE_TENANT_ID: tenantId
    AZURE_CLIENT_ID: isOwnApp ? graphClientId : workerIdentity.properties.clientId
    SUBSCRIPTIONS_FILE: '${subscriptionsFolder}/subscriptions.yaml'
    NOTIFICATION_URL: 'https://${receiverHost}/events'
    LIFECYCLE_NOTIFICATION_URL: 'https://${receiverHost}/lifecycle'
    KAFKA_BROKERS: kafkaBroker
    KAFKA_PROFILE: 'event-hubs'
    KAFKA_SASL_MECHANISM: usesPassword ? 'PLAIN' : 'OAUTHBEARER'
    KAFKA_TOPIC: topic
    KAFKA_DEAD_LETTER_TOPIC: deadLetterTopic
  },
  usesPassword ? { KAFKA_SASL_USERNAME: '$ConnectionString' } : {},
  moreWorkerSettings
)

// --- Secrets: setting → name, in the vault and in the app alike ---

var receiverSecrets = {
  REDIS_URL: 'redis-url'
  CLIENT_STATE_SECRETS: 'client-state-secrets'
}

var workerSecrets = union(
  receiverSecrets,
  {
    ADMIN_PASSWORD: 'admin-password'
  },
  usesPassword ? { KAFKA_SASL_PASSWORD: 'kafka-password' } : {},
  isOwnApp ? { AZURE_CLIENT_SECRET: 'graph-client-secret' } : {}
)

var receiverEnv = concat(
  map(items(receiverSettings), setting => { name: setting.key, value: setting.value }),
  map(items(receiverSecrets), secret => union({ name: secret.key }, fromVault ? { value: '${vaultReference}/${secret.value}' } : { secretRef: secret.value }))
)

var workerEnv = concat(
  map(items(workerSettings), setting => { name: setting.key, value: setting.value }),
  map(items(workerSecrets), secret => union({ name: secret.key }, fromVault ? { value: '${vaultReference}/${secret.value}' } : { secretRef: secret.value }))
)

var redisAddress = '${redis.properties.hostName}:${redis::database.properties.port}'

resource receiver 'Microsoft.App/containerApps@2025-07-01' = {
  name: receiverName
  location: location
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${receiverIdentity.id}': {}
    }
  }
  properties: {
    environmentId: environment.id
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      ingress: {
        external: true
        targetPort: 8080
        transport: 'http'
        allowInsecure: false
        customDomains: empty(publicHost) ? [] : [publicDomain]
      }
      registries: [
        {
          server: registry.properties.loginServer
          identity: receiverIdentity.id
        }
      ]
      secrets: fromVault
        ? []
        : [
            {
              name: 'redis-url'
              value: 'rediss://:${uriComponent(redis::database.listKeys().primaryKey)}@${redisAddress}'
            }
            {
              name: 'client-state-secrets'
              value: clientStateSecrets
            }
          ]
    }
    template: {
      terminationGracePeriodSeconds: 30
      containers: [
        {
          name: 'receiver'
          image: '${registry.properties.loginServer}/graph2kafka/receiver:${imageTag}'
          resources: {
            cpu: json('0.5')
            memory: '1Gi'
          }
          env: receiverEnv
          probes: [
            {
              type: 'Startup'
              httpGet: {
                path: '/healthz'
                port: 8080
              }
              initialDelaySeconds: 1
              periodSeconds: 3
              failureThreshold: 10
            }
            {
              type: 'Liveness'
              httpGet: {
                path: '/healthz'
                port: 8080
              }
              periodSeconds: 10
              timeoutSeconds: 5
              failureThreshold: 3
            }
            {
              type: 'Readiness'
              httpGet: {
                path: '/readyz'
                port: 8080
              }
              periodSeconds: 5
              timeoutSeconds: 3
              failureThreshold: 2
            }
          ]
        }
      ]
      scale: {
        minReplicas: receiverMin
        maxReplicas: receiverMax
        rules: [
          {
            name: 'requests'
            http: {
              metadata: {
                concurrentRequests: '100'
              }
            }
          }
        ]
      }
    }
  }
}

resource worker 'Microsoft.App/containerApps@2025-07-01' = {
  name: '${name}-worker'
  location: location
  // Graph asks the receiver for an echo while the worker makes a subscription.
  dependsOn: [receiver]
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${workerIdentity.id}': {}
    }
  }
  properties: {
    environmentId: environment.id
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      ingress: {
        external: !empty(adminNetworks)
        targetPort: 9090
        transport: 'http'
        allowInsecure: false
        ipSecurityRestrictions: map(adminNetworks, (network, i) => {
          name: 'admin-${i}'
          action: 'Allow'
          ipAddressRange: network
        })
      }
      registries: [
        {
          server: registry.properties.loginServer
          identity: workerIdentity.id
        }
      ]
      secrets: concat(
        [
          {
            name: 'subscriptions'
            value: subscriptions
          }
        ],
        fromVault
          ? [
              {
                // For the scale rule: it takes secrets of the app alone.
                name: 'redis-password'
                keyVaultUrl: '${vault.properties.vaultUri}secrets/redis-password'
                identity: workerIdentity.id
              }
            ]
          : [
              {
                name: 'redis-password'
                value: redis::database.listKeys().primaryKey
              }
              {
                name: 'redis-url'
                value: 'rediss://:${uriComponent(redis::database.listKeys().primaryKey)}@${redisAddress}'
              }
              {
                name: 'client-state-secrets'
                value: clientStateSecrets
              }
              {
                name: 'admin-password'
                value: adminPassword
              }
            ],
        !fromVault && usesPassword
          ? [
              {
                name: 'kafka-password'
                value: eventHubs::sendKey.listKeys().primaryConnectionString
              }
            ]
          : [],
        !fromVault && isOwnApp
          ? [
              {
                name: 'graph-client-secret'
                value: graphClientSecret
              }
            ]
          : []
      )
    }
    template: {
      terminationGracePeriodSeconds: 30
      containers: [
        {
          name: 'worker'
          image: '${registry.properties.loginServer}/graph2kafka/worker:${imageTag}'
          resources: {
            cpu: json('0.5')
            memory: '1Gi'
          }
          env: workerEnv
          volumeMounts: [
            {
              volumeName: 'subscriptions'
              mountPath: subscriptionsFolder
            }
          ]
          probes: [
            {
              type: 'Startup'
              httpGet: {
                path: '/healthz'
                port: 9090
              }
              initialDelaySeconds: 1
              periodSeconds: 3
              failureThreshold: 10
            }
            {
              type: 'Liveness'
              httpGet: {
                path: '/healthz'
                port: 9090
              }
              periodSeconds: 10
              timeoutSeconds: 5
              failureThreshold: 3
            }
            {
              type: 'Readiness'
              httpGet: {
                path: '/readyz'
                port: 9090
              }
              periodSeconds: 10
              // It waits up to 2 s for Redis and Kafka.
              timeoutSeconds: 5
              failureThreshold: 3
            }
          ]
        }
      ]
      volumes: [
        {
          name: 'subscriptions'
          storageType: 'Secret'
          secrets: [
            {
              secretRef: 'subscriptions'
              path: 'subscriptions.yaml'
            }
          ]
        }
      ]
      scale: {
        minReplicas: workerMin
        maxReplicas: workerMax
        rules: [
          {
            name: 'owners-that-wait'
            custom: {
              // What g2k_owners_ready counts, less those at work: BullMQ's list of owners that a worker may begin now.
              type: 'redis'
              metadata: {
                address: redisAddress
                enableTLS: 'true'
                listName: '{${redisPrefix}-0}:owners:wait'
                listLength: string(ownersPerWorker)
              }
              auth: [
                {
                  secretRef: 'redis-password'
                  triggerParameter: 'password'
                }
              ]
            }
          }
        ]
      }
    }
  }
}

output notificationUrl string = 'https://${receiverHost}/events'
output adminUrl string = 'https://${worker.properties.configuration.ingress.fqdn}'
