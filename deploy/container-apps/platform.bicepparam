// Parameters of platform.bicep. What deploy.sh was told comes from the environment; sizes are to be changed here.
using './platform.bicep'

param name = readEnvironmentVariable('NAME', 'g2k')
param operatorId = readEnvironmentVariable('OPERATOR_ID', '')
param operatorType = readEnvironmentVariable('OPERATOR_TYPE', 'User')
param kafkaSignIn = readEnvironmentVariable('KAFKA_SIGN_IN', 'managedIdentity')

param redisSku = 'Balanced_B1'
param throughputUnits = 1
param mostThroughputUnits = 4
param partitions = 12
param retentionHours = 168
