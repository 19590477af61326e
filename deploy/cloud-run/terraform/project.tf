# Services of Google that are used, the registry, and the accounts that the parts run as.

data "google_project" "this" {
  project_id = var.project
}

resource "google_project_service" "used" {
  for_each = toset([
    "artifactregistry.googleapis.com",
    "compute.googleapis.com",
    "iam.googleapis.com",
    "managedkafka.googleapis.com",
    "memorystore.googleapis.com",
    "networkconnectivity.googleapis.com",
    "run.googleapis.com",
    "secretmanager.googleapis.com",
    "serviceconsumermanagement.googleapis.com",
  ])
  service            = each.value
  disable_on_destroy = false
}

resource "google_artifact_registry_repository" "images" {
  location      = var.region
  repository_id = "graph2kafka"
  format        = "DOCKER"
  description   = "Images of graph2kafka"
  depends_on    = [google_project_service.used]
}

resource "google_service_account" "receiver" {
  account_id   = "graph2kafka-receiver"
  display_name = "Receives notifications of Microsoft Graph"
  depends_on   = [google_project_service.used]
}

# Entra trusts this account (output federated_credential), and Kafka lets it write.
resource "google_service_account" "worker" {
  account_id   = "graph2kafka-worker"
  display_name = "Reads Microsoft Graph and publishes to Kafka"
  depends_on   = [google_project_service.used]
}
