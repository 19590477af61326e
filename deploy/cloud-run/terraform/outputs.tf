output "registry" {
  description = "Where the images go."
  value       = local.images
}

output "public_url" {
  description = "Address of the receiver."
  value       = local.public_url
}

output "redis_url" {
  description = "For ../*.yaml, where the services are deployed with skaffold."
  value       = local.redis_url
}

output "kafka_brokers" {
  description = "Bootstrap brokers, also for consumers in the network."
  value       = local.kafka_env.KAFKA_BROKERS
}

output "federated_credential" {
  description = "What the app registration has to trust: az ad app federated-credential create --id APP --parameters."
  value = jsonencode({
    name      = "graph2kafka-worker"
    issuer    = "https://accounts.google.com"
    subject   = google_service_account.worker.unique_id
    audiences = ["api://AzureADTokenExchange"]
  })
}
