// What both services stand on: registry, logs, identities, vault, Redis, Event Hubs, environment. apps.bicep comes after it.
targetScope = 'resourceGroup'

@description('Begins the name of every resource: lower-case letters and digits, a letter first.')
@minLength(3)
@maxLength(10)
param name string = 'g2k'

param location string = resourceGroup().location

@description('Size of Azure Managed Redis. Of 1 GB (Balanced_B1) a fifth is kept back; the rest holds some 600,000 waiting jobs.')
param redisSku string = 'Balanced_B1'

@description('Throughput units of Event Hubs: each takes 1 MB or 1,000 records a second.')
@minValue(1)
@maxValue(40)
param throughputUnits int = 1

@description('As many units as Event Hubs may add by itself under load.')
@minValue(1)
@maxValue(40)
param mostThroughputUnits int = 4

@description('Partitions of the topic of records. It cannot be changed later in the tier Standard.')
@minValue(1)
@maxValue(32)
param partitions int = 12

@description('Hours that a record is kept; the tier Standard keeps none for longer than 168.')
@minValue(1)
@maxValue(168)
param retentionHours int = 168

param topic string = 'graph.events'
param deadLetterTopic string = 'graph.events.dlq'

@description('How the worker signs in to Event Hubs. With managedIdentity no key is valid there at all.')
@allowed(['managedIdentity', 'connectionString'])
param kafkaSignIn string = 'managedIdentity'

@description('Object id of whoever sets the secrets of the vault; empty: the right is given elsewhere.')
param operatorId string = ''

@allowed(['User', 'Group', 'ServicePrincipal'])
param operatorType string = 'User'

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logDays int = 30

var unique = uniqueString(resourceGroup().id)

// Built-in roles have the same ids in every tenant (learn.microsoft.com/azure/role-based-access-control/built-in-roles).
var roles = {
  acrPull: '7f951dda-4ed3-4680-a7ca-43fe172d538d'
  keyVaultSecretsUser: '4633458b-17de-408a-874c-0445c86b69e6'
  keyVaultSecretsOfficer: 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'
  eventHubsDataSender: '2b629674-e913-4c01-ae53-ef4638d8f975'
}

// --- Identities: one each, since what may read Graph must not be what the internet speaks to ---

resource receiverIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: '${name}-receiver'
  location: location
}

resource workerIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: '${name}-worker'
  location: location
}

// --- Registry: images are pulled as the identities, so that there is no password of it ---

resource registry 'Microsoft.ContainerRegistry/registries@2025-04-01' = {
  name: '${name}${unique}'
  location: location
  sku: {
    name: 'Basic'
  }
  properties: {
    adminUserEnabled: false
  }
}

resource receiverPulls 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(registry.id, receiverIdentity.id, roles.acrPull)
  scope: registry
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.acrPull)
    principalId: receiverIdentity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

resource workerPulls 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(registry.id, workerIdentity.id, roles.acrPull)
  scope: registry
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.acrPull)
    principalId: workerIdentity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// --- Key Vault ---

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: '${name}-${unique}'
  location: location
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    softDeleteRetentionInDays: 90
  }
}

resource receiverReadsSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, receiverIdentity.id, roles.keyVaultSecretsUser)
  scope: vault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
    principalId: receiverIdentity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

resource workerReadsSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, workerIdentity.id, roles.keyVaultSecretsUser)
  scope: vault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
    principalId: workerIdentity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

resource operatorSetsSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorId)) {
  name: guid(vault.id, operatorId, roles.keyVaultSecretsOfficer)
  scope: vault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsOfficer)
    principalId: operatorId
    principalType: operatorType
  }
}

// --- Redis: where acknowledged notifications lie until they are published ---

resource redis 'Microsoft.Cache/redisEnterprise@2025-07-01' = {
  name: '${name}-${unique}'
  location: location
  sku: {
    name: redisSku
  }
  properties: {
    // The second node: without it, whatever stops the only one loses up to a second of acknowledged notifications.
    highAvailability: 'Enabled'
    minimumTlsVersion: '1.2'
    // The scale rule's scaler runs outside of the environment and has to reach it.
    publicNetworkAccess: 'Enabled'
  }
}

resource database 'Microsoft.Cache/redisEnterprise/databases@2025-07-01' = {
  parent: redis
  name: 'default'
  properties: {
    clientProtocol: 'Encrypted'
    port: 10000
    // BullMQ and our scripts touch several keys at once, over one plain connection.
    clusteringPolicy: 'NoCluster'
    // Any other policy would throw acknowledged notifications away when memory is short.
    evictionPolicy: 'NoEviction'
    // The strongest there is: 'always' is deprecated (REST reference: Persistence.aofFrequency).
    persistence: {
      aofEnabled: true
      aofFrequency: '1s'
    }
    accessKeysAuthentication: 'Enabled'
  }
}

resource redisUrl 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'redis-url'
  properties: {
    value: 'rediss://:${uriComponent(database.listKeys().primaryKey)}@${redis.properties.hostName}:${database.properties.port}'
  }
}

resource redisPassword 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'redis-password'
  properties: {
    value: database.listKeys().primaryKey
  }
}

// --- Event Hubs, as Kafka ---

resource eventHubs 'Microsoft.EventHub/namespaces@2024-01-01' = {
  name: '${name}-${unique}'
  location: location
  sku: {
    // The first tier that speaks Kafka.
    name: 'Standard'
    tier: 'Standard'
    capacity: throughputUnits
  }
  properties: {
    isAutoInflateEnabled: mostThroughputUnits > throughputUnits
    maximumThroughputUnits: mostThroughputUnits > throughputUnits ? mostThroughputUnits : 0
    minimumTlsVersion: '1.2'
    disableLocalAuth: kafkaSignIn == 'managedIdentity'
  }
}

resource records 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' = {
  parent: eventHubs
  name: topic
  properties: {
    partitionCount: partitions
    retentionDescription: {
      cleanupPolicy: 'Delete'
      retentionTimeInHours: retentionHours
    }
  }
}

resource deadLetters 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' = {
  parent: eventHubs
  name: deadLetterTopic
  properties: {
    partitionCount: 1
    retentionDescription: {
      cleanupPolicy: 'Delete'
      retentionTimeInHours: retentionHours
    }
  }
}

resource workerSends 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (kafkaSignIn == 'managedIdentity') {
  name: guid(eventHubs.id, workerIdentity.id, roles.eventHubsDataSender)
  scope: eventHubs
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.eventHubsDataSender)
    principalId: workerIdentity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

resource sendKey 'Microsoft.EventHub/namespaces/authorizationRules@2024-01-01' = if (kafkaSignIn == 'connectionString') {
  parent: eventHubs
  name: 'worker'
  properties: {
    rights: ['Send']
  }
}

resource kafkaPassword 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (kafkaSignIn == 'connectionString') {
  parent: vault
  name: 'kafka-password'
  properties: {
    value: sendKey!.listKeys().primaryConnectionString
  }
}

// --- Environment of the apps, and their logs ---

resource logs 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: '${name}-logs'
  location: location
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: logDays
  }
}

resource environment 'Microsoft.App/managedEnvironments@2025-07-01' = {
  name: '${name}-environment'
  location: location
  properties: {
    appLogsConfiguration: {
      destination: 'log-analytics'
      logAnalyticsConfiguration: {
        customerId: logs.properties.customerId
        sharedKey: logs.listKeys().primarySharedKey
      }
    }
    workloadProfiles: [
      {
        name: 'Consumption'
        workloadProfileType: 'Consumption'
      }
    ]
  }
}

output registryName string = registry.name
output vaultName string = vault.name
output workerPrincipalId string = workerIdentity.properties.principalId
