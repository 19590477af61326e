// Parameters of apps.bicep. What deploy.sh was told comes from the environment; the rest is to be changed here.
using './apps.bicep'

param name = readEnvironmentVariable('NAME', 'g2k')
param imageTag = readEnvironmentVariable('IMAGE_TAG')
param subscriptions = loadTextContent('../../subscriptions.yaml')
param kafkaSignIn = readEnvironmentVariable('KAFKA_SIGN_IN', 'managedIdentity')
param graphClientId = readEnvironmentVariable('GRAPH_CLIENT_ID', '')

// With 'app' the values come from the environment of whoever deploys; with 'keyVault' they are in the vault alone.
param secretsFrom = readEnvironmentVariable('SECRETS_FROM', 'keyVault')
param clientStateSecrets = readEnvironmentVariable('CLIENT_STATE_SECRETS', '')
param adminPassword = readEnvironmentVariable('ADMIN_PASSWORD', '')
param graphClientSecret = readEnvironmentVariable('GRAPH_CLIENT_SECRET', '')

param receiverMin = 1
param receiverMax = 10
param workerMin = 1
param workerMax = 5
param adminNetworks = []
param publicHost = ''
param certificateId = ''
param moreReceiverSettings = {}
param moreWorkerSettings = {}
